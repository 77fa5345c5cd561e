export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}
