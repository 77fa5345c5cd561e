/** In place of a part of a page whose code did not come. No button: where the usage tab is embedded, the page is another's. */
export function NotLoaded({ what }: { what: string }) {
  return (
    <p class="empty-line" role="alert">
      {what} could not be loaded, probably because Keytally was updated: reload the page.
    </p>
  );
}
