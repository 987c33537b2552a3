export { crawlOf, instanceRow } from './testing/crawls.ts';
export { historyFaults } from './testing/history-faults.ts';
export { missingPostgres, PrivatePostgres } from './testing/private-postgres.ts';
