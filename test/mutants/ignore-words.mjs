/**
 * A plug-in for Stryker: what is only said is not mutated. Log lines and what a step says of itself
 * are read by people, and tests that pin them down to the letter would be in the way of better
 * words.
 */
const SAYING = new Set(['debug', 'info', 'warn', 'error', 'say']);

const isSaying = (node) =>
  node.type === 'CallExpression' &&
  node.callee.type === 'MemberExpression' &&
  node.callee.property.type === 'Identifier' &&
  SAYING.has(node.callee.property.name);

/** A function, or a block, that does nothing but say something. */
const isOnlySaying = (node) =>
  (node.type === 'ArrowFunctionExpression' && isSaying(node.body)) ||
  (node.type === 'BlockStatement' &&
    node.body.length > 0 &&
    node.body.every((statement) => statement.type === 'ExpressionStatement' && isSaying(statement.expression)));

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'words',
    value: {
      shouldIgnore(path) {
        if (isSaying(path.node)) return 'only said';
        if (path.isExpressionStatement() && isSaying(path.node.expression)) return 'only said';
        if (isOnlySaying(path.node)) return 'only said';
        return undefined;
      },
    },
  },
];
