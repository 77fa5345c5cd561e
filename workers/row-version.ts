/** Version of a row that replaces one of version `previous` (0 = none): also by a clock that stepped back or goes after another one. */
export const versionAfter = (previous: number): number => Math.max(Date.now(), previous + 1);
