import { noticeCommand } from '../control/notice-command.ts';

export const noticeDrop = noticeCommand('drop', 'forget a notice that a webhook did not take', 'nobody is told of it');
