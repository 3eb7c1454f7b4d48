/**
 * Small wrong changes of a source file: conditions forced and turned round, comparisons moved by
 * one, operators exchanged, statements left out, numbers off by one. Types, messages and logging
 * are left alone: nothing a test should see depends on them.
 */
import { parseSync } from 'oxc-parser';

const COMPARISONS = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
};
const ARITHMETIC = { '+': ['-'], '-': ['+'], '*': ['/'], '%': ['*'], '<<': ['>>'], '>>': ['<<'] };
const ASSIGNMENTS = { '+=': ['-='], '-=': ['+='] };
/** Calls whose arguments are for people. */
const FOR_PEOPLE = new Set([
  'log',
  'note',
  'corrupt',
  'ioError',
  'badRequest',
  'Error',
  'StoreError',
]);

/** @returns {{ start: number, end: number, text: string, kind: string, line: number }[]} */
export function mutantsOf(path, source) {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  const mutants = [];
  const add = (node, text, kind) => {
    const line = source.slice(0, node.start).split('\n').length;
    mutants.push({ start: node.start, end: node.end, text, kind, line });
  };
  const text = (node) => source.slice(node.start, node.end);
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (typeof node.type !== 'string') return;
    if (node.type.startsWith('TS') && !/^TS(?:As|NonNull|Satisfies)/.test(node.type)) return;
    if (node.type.startsWith('Import') || node.type === 'ExportAllDeclaration') return;
    if (isForPeople(node)) return;
    mutate(node, add, text);
    for (const [name, child] of Object.entries(node))
      if (name !== 'typeAnnotation' && name !== 'typeArguments' && name !== 'returnType')
        visit(child);
  };
  visit(program.body);
  return mutants;
}

function isForPeople(node) {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
  const { callee } = node;
  const name = callee.type === 'MemberExpression' ? callee.property.name : callee.name;
  return FOR_PEOPLE.has(name);
}

function mutate(node, add, text) {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
      add(node.test, 'true', 'condition');
      add(node.test, 'false', 'condition');
      break;
    case 'WhileStatement':
    case 'ForStatement':
      if (node.test) add(node.test, 'false', 'loop');
      break;
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression':
      exchange(node, add, text);
      break;
    case 'UnaryExpression':
      if (node.operator === '!') add(node, text(node.argument), 'negation');
      break;
    case 'UpdateExpression':
      add(
        node,
        text(node).replace(/\+\+|--/, (op) => (op === '++' ? '--' : '++')),
        'update',
      );
      break;
    case 'ExpressionStatement':
      if (node.expression.type !== 'Literal') add(node, ';', 'statement');
      break;
    case 'ThrowStatement':
      add(node, ';', 'throw');
      break;
    case 'Literal':
      if (typeof node.value === 'number') add(node, String(node.value + 1), 'number');
      if (typeof node.value === 'boolean') add(node, String(!node.value), 'boolean');
      break;
  }
}

function exchange(node, add, text) {
  const { operator, left, right } = node;
  const others =
    COMPARISONS[operator] ??
    ARITHMETIC[operator] ??
    ASSIGNMENTS[operator] ??
    { '&&': ['||'], '||': ['&&'] }[operator] ??
    [];
  for (const other of others) add(node, `${text(left)} ${other} ${text(right)}`, operator);
}
