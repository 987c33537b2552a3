import { type Context, contextOf, contextsPath, readContexts, writeContexts } from '../client/contexts-file.ts';
import { coordinatorUrls } from '../client/coordinator-urls.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { collect } from '../program-context.ts';
import { print, shownText } from '../terminal.ts';

interface AddOptions extends Omit<Context, 'urls'> {
  readonly url: string[];
}

export const contextAdd: CommandDefinition = {
  name: 'context add',
  summary: 'write down a cluster (or write it anew): its coordinators, and where token and certificates lie',
  kind: 'local',
  examples: [
    {
      line: 'understudy context add prod --url https://c1:8443,https://c2:8443 --token-file prod.token --ca-file ca.pem',
      what: 'the first one becomes the current one',
    },
  ],
  define: (command, { environment }) => {
    command
      .argument('<name>', '1-63 of a-z 0-9 . _ -')
      .requiredOption('--url <url>', 'a coordinator, host:port or a URL; may be repeated', collect)
      .option('--token-file <file>', "file with the caller's token, mode 0600")
      .option('--ca-file <file>', "authorities to believe for https, PEM (default: the system's)")
      .option('--cert-file <file>', 'client certificate, PEM')
      .option('--key-file <file>', 'its key, PEM, mode 0600')
      .action((name: string, { url, ...files }: AddOptions) => {
        const path = contextsPath(environment);
        const { current, contexts } = readContexts(path);
        const urls = [...coordinatorUrls(url, {})];
        const context = contextOf(name, { urls, ...files });
        writeContexts(path, { current: current ?? name, contexts: { ...contexts, [name]: context } });
        print(shownText(`${name} stands in ${path}${current === null ? ' and is the current context' : ''}`));
      });
  },
};
