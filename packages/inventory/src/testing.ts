export { crawlOf, instanceRow } from './testing/crawls.ts';
