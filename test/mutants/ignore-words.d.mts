interface NodePath {
  readonly node: object;
  isExpressionStatement(): boolean;
}

export declare const strykerPlugins: readonly {
  readonly kind: string;
  readonly name: string;
  /** The reason for which Stryker leaves a node alone. Undefined: it does not. */
  readonly value: { shouldIgnore(path: NodePath): string | undefined };
}[];
