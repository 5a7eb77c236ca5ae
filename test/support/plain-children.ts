/**
 * Importing this lets the processes that a test starts run as they do without a test runner: tap's
 * instrumentation, which they would inherit, takes signals for itself that Node.js ignores, and
 * slows their start.
 */
delete process.env['NODE_OPTIONS'];
