/**
 * Entry point `pawl/machine`: definitions, guards and transitions as pure functions. Needs no
 * store, no disk and no Node API, so it runs wherever JavaScript does.
 */
export { isStoreError, StoreError } from '../base/errors.ts';
export { canonicalText } from './canonical.ts';
export { compileMachine } from './compile-machine.ts';
export type { CompiledMachine, CompiledTransition } from './compile-machine.ts';
export { mergePayload } from './context.ts';
export { defineMachine } from './define-machine.ts';
export type {
  ContextOf,
  Data,
  Duration,
  EventOf,
  Machine,
  MachineDefinition,
  MachineShape,
  NormalisedDefinition,
  NormalisedTimeout,
  NormalisedTransition,
  PayloadOf,
  ShapeOf,
  StateOf,
  TimeoutRule,
  TransitionRule,
  UntypedShape,
  Value,
} from './definition.ts';
export { guardText } from './guard/ast.ts';
export type { Comparison, Guard, GuardExpression, Literal } from './guard/ast.ts';
export { evaluateGuard, explainGuard } from './guard/evaluate.ts';
export type { GuardExplanation } from './guard/evaluate.ts';
export { parseGuard } from './guard/parse.ts';
export { transition } from './transition.ts';
export type { GuardFailure, PayloadArgs, TransitionOutcome } from './transition.ts';
export { validateDefinition } from './validate-definition.ts';
