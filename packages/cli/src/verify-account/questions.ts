import type { Question } from './question.ts';
import { addressElsewhere } from './questions/address-elsewhere.ts';
import { imageFields } from './questions/image-fields.ts';
import { interfaceDeleteLag } from './questions/interface-delete-lag.ts';
import { interfaceGone } from './questions/interface-gone.ts';
import { stopTime } from './questions/stop-time.ts';
import { stoppedIsStopped } from './questions/stopped-is-stopped.ts';
import { tokenOtherZone } from './questions/token-other-zone.ts';
import { tokenRemembered } from './questions/token-remembered.ts';

/** Every question of decision 0003, the cheapest first. A new one is a file and a line here. */
export const QUESTIONS: readonly Question[] = [
  interfaceDeleteLag,
  interfaceGone,
  tokenOtherZone,
  addressElsewhere,
  stopTime,
  tokenRemembered,
  imageFields,
  stoppedIsStopped,
];
