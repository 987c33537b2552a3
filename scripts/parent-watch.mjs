/**
 * Preloaded into what `npm start` and `npm test` run. The IPC channel closes when the starting
 * script dies, even by SIGKILL: then this process is told to end in its normal way, so that nothing
 * is left behind.
 */
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
