import type { GroupPolicy, HookMessage, HookOutcome, NamedHook } from '@understudy/shared';
import type { RecoveryFixture } from './recovery-fixture.ts';
import type { Story } from './stories.ts';

type At = GroupPolicy['hooks']['list'][number]['at'];
export interface Ran {
  readonly program: string;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

const hook = (name: string, at: At) => ({ name, at, program: name, timeoutMs: 30_000 });
const ALL = [
  hook('drain', 'before-fence'),
  hook('fenced', 'after-fence'),
  hook('check', 'before-activate'),
  hook('tell', 'after-activate'),
  hook('alarm', 'on-failure'),
];

/** What ran, and what each program answers; `passed` by default, after a second. */
export function hooksOf(list: GroupPolicy['hooks']['list'] = ALL) {
  const ran: Ran[] = [];
  const answers = new Map<string, HookOutcome | 'never' | Error>();
  const here: { scene: RecoveryFixture | null } = { scene: null };
  const runHook = async ({ program = '' }: NamedHook, { id, body }: HookMessage): Promise<HookOutcome> => {
    const { clock } = here.scene ?? {};
    ran.push({ program, id, body: JSON.parse(body), atMs: clock?.monotonicMs() ?? 0 });
    await clock?.sleep(1_000);
    const answer = answers.get(program) ?? { kind: 'passed', text: 'ok' };
    if (answer instanceof Error) throw answer;
    return answer === 'never' ? new Promise(() => undefined) : answer;
  };
  const story: Story = {
    options: { dataVolumes: 0, policy: { hooks: { list } }, runHook },
    prepare: async (scene) => {
      here.scene = scene;
    },
    check: () => undefined,
  };
  return { ran, answers, story };
}
