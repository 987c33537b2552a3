import { type FleetObserver, harmlessText, type StatusView } from '@understudy/shared/browser';
import { attentionOf } from '../model/attention.ts';
import { commandOf } from '../model/place.ts';
import { ageText, spanText } from '../model/times.ts';
import { fleet, status } from '../store.ts';
import { AttentionRow } from './attention-list.tsx';
import { Readiness } from './readiness.tsx';
import { CopyCommand, Mark, SectionHead, Table } from './small.tsx';

function answerText({ self, answeredAgoMs, problem }: FleetObserver): string {
  if (self) return 'answers here';
  if (problem !== null) return `does not answer: ${problem}`;
  return answeredAgoMs === null ? 'asked' : `answered ${ageText(answeredAgoMs)} ago`;
}

function CoordinatorRow({
  one,
  told,
}: {
  readonly one: FleetObserver;
  readonly told: StatusView['coordinators'][number] | undefined;
}) {
  const answers = one.self || (one.problem === null && one.answeredAgoMs !== null);
  const isWell = answers && one.abstains === null;
  return (
    <tr>
      <th scope="row">
        <Mark kind={isWell ? 'alive' : 'suspect'} /> {one.coordinatorId}
      </th>
      <td>{one.az}</td>
      <td>{one.leader ? 'leads' : 'follows'}</td>
      <td>{harmlessText(answerText(one))}</td>
      <td>{one.abstains === null ? 'judges' : `abstains: ${one.abstains}`}</td>
      <td>{told?.version ?? '–'}</td>
      <td>{told?.featureLevel ?? '–'}</td>
      <td>{told ? <a href={told.httpUrl}>{told.httpUrl}</a> : '–'}</td>
    </tr>
  );
}

const HEADINGS = ['Coordinator', 'Zone', 'Role', 'Answers', 'As an observer', 'Version', 'Level', 'Address'];

function Coordinators({ told }: { readonly told: StatusView }) {
  const observers = fleet.value?.view.observers ?? [];
  return (
    <Table label="Coordinators" headings={HEADINGS}>
      {observers.map((one) => (
        <CoordinatorRow
          key={one.coordinatorId}
          one={one}
          told={told.coordinators.find(({ coordinatorId }) => coordinatorId === one.coordinatorId)}
        />
      ))}
    </Table>
  );
}

function factsOf({ leader, judgement, featureLevels, observer, coordinatorId, uptimeMs, az, version }: StatusView) {
  const store = fleet.value?.view.store;
  const contact = store?.lastContactAgoMs;
  const judged = { current: 'stand', last: 'are the last known', none: 'do not exist yet' }[judgement.standing];
  return [
    ['Leader', leader ? `${leader.coordinatorId}, term ${leader.term}` : 'nobody leads'],
    ['Verdicts', `${judged}${judgement.by ? `, by ${judgement.by} in term ${judgement.term ?? '?'}` : ''}`],
    [
      'etcd',
      store?.fresh
        ? `fresh, last contact ${ageText(contact ?? null)} ago`
        : `not fresh, last contact ${ageText(contact ?? null)} ago`,
    ],
    [
      'Feature level',
      `${featureLevels.inForce} in force, ${featureLevels.agreed ?? 'none'} agreed, ${featureLevels.understood} understood here`,
    ],
    ['You are asking', `${coordinatorId} in ${az}, version ${version}, up for ${spanText(uptimeMs)}`],
    [
      'It hears',
      `${observer.heardAgents} of ${observer.watchedAgents} agents${observer.abstains ? `, and abstains: ${observer.reason ?? ''}` : ''}`,
    ],
  ] as const;
}

export function ClusterPage() {
  const told = status.value;
  if (!told) return <p class="empty">Waiting for the first answer.</p>;
  const problems = attentionOf(told).filter(({ kind }) => kind === 'problem');
  return (
    <>
      <div class="page-head">
        <h1>Cluster</h1>
        <CopyCommand command={commandOf({ page: 'cluster' })} />
      </div>
      <dl class="facts wide">
        {factsOf(told).map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{harmlessText(text)}</dd>
          </div>
        ))}
      </dl>
      <SectionHead title="Coordinators" />
      <Coordinators told={told} />
      <Readiness />
      <SectionHead title={`Problems ${told.coordinatorId} knows of`} note={String(problems.length)} />
      {problems.length === 0 ? <p class="empty">None.</p> : null}
      <ul class="attentions">
        {problems.map((one) => (
          <AttentionRow key={one.key} one={one} />
        ))}
      </ul>
    </>
  );
}
