import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface OpenRow {
  /** Index of the row whose fields are shown. */
  open: number | null;
  setOpen: (index: number | null) => void;
  /** Closes it for a filter by one of its fields. */
  leave: () => void;
}

/**
 * Which row of a list stands open in the drawer.
 * @param list name of the list: "Back" may bring another one under the open drawer
 * @param filterField takes the focus after a filter, as the row may not be among those that are left
 */
export function useOpenRow(list: string, filterField: RefObject<HTMLInputElement | null>): OpenRow {
  const [open, setOpen] = useState<number | null>(null);
  const left = useRef(false);
  useLayoutEffect(() => setOpen(null), [list]);
  useLayoutEffect(() => {
    if (open !== null || !left.current) return;
    left.current = false;
    filterField.current?.focus();
  }, [open, filterField]);
  const leave = () => {
    left.current = true;
    setOpen(null);
  };
  return { open, setOpen, leave };
}
