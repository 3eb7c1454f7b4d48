import { describe, expect, it } from 'vitest';
import { canonicalText, defineMachine, validateDefinition } from '../../../src/machine/index.ts';
import { order, refusalOf } from './errors.ts';

const untyped = (definition: unknown): Record<string, unknown> =>
  defineMachine(definition as Parameters<typeof defineMachine>[0]);

describe('defineMachine', () => {
  it('gives the definition as written: JSON, comparison and keys see nothing else', () => {
    const machine = untyped(order());
    expect(machine).toStrictEqual(order());
    expect(JSON.parse(JSON.stringify(machine))).toStrictEqual(order());
    expect(Reflect.ownKeys(machine).filter((key) => typeof key === 'string')).toEqual(
      Object.keys(order()),
    );
  });

  it('types are dropped, and not even looked at', () => {
    const types = new Proxy({}, { get: () => expect.unreachable('types was read') });
    const machine = untyped({ types, ...order() });
    expect(machine).toStrictEqual(order());
    expect(canonicalText(validateDefinition(machine))).toBe(
      canonicalText(validateDefinition(order())),
    );
  });

  it('is frozen through and through', () => {
    const machine = untyped(order());
    expect(
      () => (((machine['transitions'] as { to: string }[])[0] as { to: string }).to = 'x'),
    ).toThrow(TypeError);
    expect(() => (machine['states'] as string[]).push('x')).toThrow(TypeError);
    expect(() => (machine['name'] = 'x')).toThrow(TypeError);
  });

  it('refuses what is no definition', () => {
    expect(refusalOf(() => untyped(undefined)).path).toBe('definition');
    expect(refusalOf(() => untyped({ ...order(), initial: 'x' })).path).toBe('initial');
    expect(refusalOf(() => untyped({ ...order(), typs: {} })).path).toBe('typs');
  });
});
