/**
 * A plug-in for Stryker: the test runner `in-process`. The option `inProcess.testFiles` has the
 * files of the room's tests.
 */
import { commonTokens, declareFactoryPlugin, type Injector, PluginKind } from '@stryker-mutator/api/plugin';
import { InProcessTestRunner } from './test-runner.ts';

const NAMESPACE = '__stryker__';

function runnerOf(injector: Injector<{ readonly [commonTokens.options]: object }>): InProcessTestRunner {
  const { inProcess } = injector.resolve(commonTokens.options) as { inProcess: { testFiles: readonly string[] } };
  const board: object = (Reflect.get(globalThis, NAMESPACE) as object | undefined) ?? {};
  Reflect.set(globalThis, NAMESPACE, board);
  return new InProcessTestRunner(inProcess.testFiles, board);
}
runnerOf.inject = [commonTokens.injector] as const;

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'in-process', runnerOf as never)];

export const strykerValidationSchema = {
  type: 'object',
  properties: {
    inProcess: { type: 'object', properties: { testFiles: { type: 'array', items: { type: 'string' } } } },
  },
};
