/** As the registry knows them, with their names. */
export const ENVIRONMENTS = [
  ['production', 'production'],
  ['staging', 'staging'],
  ['development', 'development'],
] as const;
export type Environment = (typeof ENVIRONMENTS)[number][0];
