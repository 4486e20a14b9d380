import { StoreUnavailableError } from "../geo/errors.ts";
import type { ManifestStore } from "../ports/destroy.ts";

/** Manifests in memory. */
export class MemoryManifestStore implements ManifestStore {
  /** What is stored, by its name. A test may change it, as somebody could who gets at the bucket. */
  readonly texts = new Map<string, string>();

  async write(name: string, text: string): Promise<void> {
    this.texts.set(name, text);
  }

  async read(name: string): Promise<string> {
    const text = this.texts.get(name);
    if (text === undefined) throw new StoreUnavailableError(`there is no ${name}`);
    return text;
  }
}
