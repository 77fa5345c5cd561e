import type { Store } from '../../workers/clickhouse/store.ts';

/** The same store; `act` decides when, and whether, rows for `table` are inserted. */
export function withInserts(store: Store, table: string, act: (insert: () => Promise<void>) => Promise<void>): Store {
  return Object.assign(Object.create(store) as Store, {
    queryWriter: store.queryWriter.bind(store),
    insertRows: (into: string, rows: readonly object[]) => {
      const insert = () => store.insertRows(into, rows);
      return into === table ? act(insert) : insert();
    },
  });
}

/** Something that happens once it is let. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** The same store, whose inserts into `table` wait until they are let through. */
export function heldInserts(store: Store, table: string): { store: Store; arrived: Promise<void>; letThrough(): void } {
  const [arrives, goesOn] = [gate(), gate()];
  const held = withInserts(store, table, async (insert) => {
    arrives.open();
    await goesOn.opened;
    await insert();
  });
  return { store: held, arrived: arrives.opened, letThrough: goesOn.open };
}
