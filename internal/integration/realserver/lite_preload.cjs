// The driver postgres 3.4.9 writes to a connection that was lost meanwhile, and
// throws, or rejects, where nobody can catch it: a restart of PostgreSQL ends lite.
// Code 75 says that this is why, and that lite may be started again.
const exit = process.exit.bind(process); // lite replaces it
process.setUncaughtExceptionCaptureCallback((error) => {
  console.error(error);
  const lost = /\/postgres\/src\/connection\.js/.test(error?.stack) || error?.code === "ECONNRESET";
  exit(lost ? 75 : 1);
});
