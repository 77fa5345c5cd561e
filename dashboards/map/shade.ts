/** Steps of the map's colour, 1 (few) to 5 (most); 0 is a country without requests. */
export const SHADES = 5;

/**
 * Logarithmic: with one country at 90 % of the traffic a linear scale would paint all others alike.
 */
export function shadeOf(requests: number, least: number, most: number): number {
  if (requests <= 0 || most <= 0) return 0;
  if (most <= least) return SHADES;
  const place = Math.log(requests / least) / Math.log(most / least);
  return Math.max(1, Math.min(SHADES, 1 + Math.floor(place * SHADES)));
}
