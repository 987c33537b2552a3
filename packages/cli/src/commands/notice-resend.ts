import { noticeCommand } from '../control/notice-command.ts';

export const noticeResend = noticeCommand(
  'resend',
  'send a notice that was given up to its webhook again, under the id it had',
  'it is given up again if it is not taken',
);
