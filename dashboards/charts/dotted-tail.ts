/**
 * Splits one line into its settled part and the part that may still change, which is drawn dotted. The dotted part
 * begins at the last settled value, or the line would show a gap that is not in the data.
 */
export function dottedTail(
  values: readonly (number | null)[],
  complete: readonly boolean[],
): { settled: (number | null)[]; open: (number | null)[] } {
  const firstOpen = complete.indexOf(false);
  if (firstOpen < 0) return { settled: [...values], open: values.map(() => null) };
  return {
    settled: values.map((value, index) => (index < firstOpen ? value : null)),
    open: values.map((value, index) => (index >= firstOpen - 1 ? value : null)),
  };
}

/** Values without a neighbour: a line through them has no length, so they need a dot to be seen at all. */
export function lonePoints(values: readonly (number | null | undefined)[]): number[] {
  const found: number[] = [];
  values.forEach((value, index) => {
    if (value != null && values[index - 1] == null && values[index + 1] == null) found.push(index);
  });
  return found;
}
