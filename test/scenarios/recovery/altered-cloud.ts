import type { Cloud } from '@understudy/shared';

/** The methods of {@link Cloud} a test answers itself; each gets the real cloud too. */
export type Altered = Partial<{
  readonly [K in keyof Cloud]: (real: Cloud, ...args: Parameters<Cloud[K]>) => ReturnType<Cloud[K]>;
}>;

/**
 * A cloud that answers some calls as the test wants: another replica's picture, an answer nobody at
 * EC2 gave.
 */
export const alteredCloud = (real: Cloud, altered: Altered): Cloud =>
  new Proxy(real, {
    get: (target, name) => {
      const own: unknown = Reflect.get(altered, name);
      const method: unknown = Reflect.get(target, name);
      if (typeof own === 'function') return (...args: unknown[]) => Reflect.apply(own, altered, [target, ...args]);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
