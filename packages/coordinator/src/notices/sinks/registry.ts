import { invariant } from '@understudy/shared';
import * as z from 'zod';
import type { ConfiguredSink, SendNotice, Sink } from '../sink.ts';
import { eventBuses } from './event-buses.ts';
import type { SinkKind, SinkPorts } from './sink-kind.ts';
import { topics } from './topics.ts';
import { webhooks } from './webhooks.ts';

/** Every kind of sink, by its section in `notify`: one file and one line each. */
const SINK_KINDS = { webhooks, topics, eventBuses };

type Kinds = typeof SINK_KINDS;
type Section = keyof Kinds;
type Sections = { readonly [Name in Section]: z.ZodDefault<z.ZodArray<Kinds[Name]['schema']>> };
/** What is configured of each kind. */
export type SinkSections = { readonly [Name in Section]: readonly z.infer<Kinds[Name]['schema']>[] };

const PER_SECTION_MAX = 8;
const NAMES = Object.keys(SINK_KINDS) as readonly Section[];

/** The fields of `notify`, each a list of sinks of one kind. */
export const SINK_SECTIONS = Object.fromEntries(
  NAMES.map((name) => [name, z.array<z.ZodType>(SINK_KINDS[name].schema).max(PER_SECTION_MAX).default([])]),
) as unknown as Sections;

/** All sinks of a configuration, whatever they are. */
export const sinksOf = (notify: SinkSections): readonly ConfiguredSink[] =>
  NAMES.flatMap((name) => notify[name].map((sink) => ({ ...sink, failing: SINK_KINDS[name].failing })));

/** One function that sends to every sink of a configuration, by its name. */
export function senderOver(notify: SinkSections, ports: SinkPorts): SendNotice {
  const byName = new Map(
    NAMES.flatMap((section) => {
      const kind = SINK_KINDS[section] as unknown as SinkKind<Sink>;
      return notify[section].map((sink) => [sink.name, kind.open(sink, ports)] as const);
    }),
  );
  return async ({ name }, message, signal) => {
    const send = byName.get(name);
    invariant(send !== undefined, `no sink ${name} was opened`);
    return send(message, signal);
  };
}
