import { useEffect, useState } from 'preact/hooks';

/** Null until the chunk has arrived. `load` must be the same function on every call. */
export function useLazy<Module>(load: () => Promise<Module>): Module | null {
  const [found, setFound] = useState<{ module: Module } | null>(null);
  useEffect(() => {
    let wanted = true;
    load().then(
      (module) => wanted && setFound({ module }),
      // A new release removed the old chunks: the page itself is outdated, so reloading is the only cure.
      () => wanted && console.error('keytally: a part of the page could not be loaded; reload it'),
    );
    return () => {
      wanted = false;
    };
  }, [load]);
  return found?.module ?? null;
}
