import { useEffect, useState } from 'preact/hooks';

export interface Lazy<Module> {
  /** Null until the chunk has arrived. */
  module: Module | null;
  /** It will not: mostly a new release removed the old chunks, and only loading the whole page anew helps. */
  failed: boolean;
}

/** `load` must be the same function on every call. */
export function useLazy<Module>(load: () => Promise<Module>): Lazy<Module> {
  const [found, setFound] = useState<(Lazy<Module> & { load: unknown }) | null>(null);
  useEffect(() => {
    let wanted = true;
    load().then(
      (module) => wanted && setFound({ load, module, failed: false }),
      () => wanted && setFound({ load, module: null, failed: true }),
    );
    return () => {
      wanted = false;
    };
  }, [load]);
  return found?.load === load ? found : { module: null, failed: false };
}
