import type { GroupPolicy, HookMessage, HookOutcome, NamedHook, Term } from '@understudy/shared';
import { CrashMonitor } from './crash-points.ts';
import { FailureHooks } from '@understudy/recovery';
import { KEYS, MEMBER, type RecoveryFixture } from './recovery-fixture.ts';
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

/** Looks of a leader at what ended recoveries owe of their hooks, a second apart. */
export function failureHooksOf(
  scene: RecoveryFixture,
  leader: { readonly term: Term },
  monitor: CrashMonitor = new CrashMonitor(),
) {
  const { clock, log } = scene;
  const runHook = scene.runHook && monitor.wrapping().runHook?.(scene.runHook);
  const hooks = new FailureHooks({ clock, log, runHook, callTimeoutMs: 5_000 });
  const histories = () =>
    scene.kv.entries(KEYS.historyOf(MEMBER)).flatMap(({ key, modRevision }, at) => {
      const record = scene.history()[at];
      return record ? [{ key, modRevision, record }] : [];
    });
  return {
    passes: async (count: number): Promise<void> => {
      for (let pass = 0; pass < count && !monitor.dead; pass += 1) {
        const look = hooks.look(leader.term, histories());
        await clock.runUntilSettled(Promise.race([monitor.died, look]));
        await clock.advance(1_000);
      }
    },
  };
}
