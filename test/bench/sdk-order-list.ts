/** Orders that a list is made from, about as many as a page of an API has. */
const ORDERS = 250;
const STATES = ['open', 'paid', 'sent', 'returned'] as const;
const DAY_MS = 86_400_000;

interface Order {
  id: string;
  customer: string;
  state: (typeof STATES)[number];
  placedAt: string;
  items: { sku: string; quantity: number; priceCents: number }[];
  totalCents: number;
}

/** A customer's orders, summed, sorted and without the returned ones: about a millisecond of work that is not HTTP. */
export function orderList(customer: string, seed: number): { orders: Order[]; totalCents: number } {
  const orders: Order[] = [];
  for (let n = 0; n < ORDERS; n++) {
    const items = Array.from({ length: 1 + ((n + seed) % 3) }, (_, item) => ({
      sku: `sku-${(n * 31 + item * 7) % 500}`,
      quantity: 1 + ((n + item) % 4),
      priceCents: 199 + ((n * 97 + item * 13) % 9_000),
    }));
    orders.push({
      id: `order-${seed}-${n}`,
      customer,
      state: STATES[(n + seed) % STATES.length]!,
      placedAt: new Date(1_767_225_600_000 + ((n * 7_919) % 365) * DAY_MS).toISOString(),
      items,
      totalCents: items.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0),
    });
  }
  const shown = orders.filter(({ state }) => state !== 'returned').sort((a, b) => b.placedAt.localeCompare(a.placedAt));
  return { orders: shown, totalCents: shown.reduce((sum, { totalCents }) => sum + totalCents, 0) };
}
