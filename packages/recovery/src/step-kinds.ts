import type { StepKind } from './step-kind.ts';
import { fenceKind } from './steps/fence.ts';
import { captureKind } from './steps/capture.ts';
import { imageKind } from './steps/image.ts';
import { permitKind } from './steps/permit.ts';
import { launchKind } from './steps/launch.ts';
import { verifyKind } from './steps/verify.ts';
import { revokeKind } from './steps/revoke.ts';
import { activateKind } from './steps/activate.ts';
import { addressKind } from './steps/address.ts';
import { doneKind } from './steps/done.ts';

/** Which steps there are. When each may run: `recovery/src/core/step-table.ts`. */
export const STEP_KINDS: readonly StepKind[] = [
  fenceKind,
  captureKind,
  imageKind,
  permitKind,
  launchKind,
  verifyKind,
  revokeKind,
  activateKind,
  addressKind,
  doneKind,
];
