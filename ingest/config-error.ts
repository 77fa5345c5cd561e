/**
 * Raised at start for a setting that cannot be used; the message names the variable. It has a file of its own because threads and commands
 * know the error without reading settings, and the schema of those costs them a tenth of a second to load.
 */
export class ConfigError extends Error {}
