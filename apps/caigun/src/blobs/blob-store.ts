/** Bytes kept by the SHA-256 of their content (hex). What is put twice is stored once; nothing is ever overwritten. */
export type BlobStore = {
  /** Resolves only when the bytes, one piece after the other, and the folder entry that names them are on the disk. */
  put(pieces: Iterable<Uint8Array>): Promise<StoredBlob>;
  /**
   * Takes over the file at `path`, which is gone afterwards. As durable as `put`. `beforePlaced` is told the digest
   * before anything can be found under it: what it writes down, a sweep at the same time already sees.
   */
  putFile(path: string, beforePlaced?: (stored: StoredBlob) => Promise<void>): Promise<StoredBlob>;
  /** The content, checked against its digest. Throws BlobMissing or BlobDamaged. */
  read(digest: string): Promise<Buffer>;
  /** A local, read-only file with the content, checked against its digest. Throws BlobMissing or BlobDamaged. */
  checkedFile(digest: string): Promise<string>;
  /** The same without reading it, for content that has been checked before. Throws BlobMissing. */
  file(digest: string): Promise<string>;
  /**
   * Removes what nothing refers to and what is older than `graceMs`; returns how many bytes went. Asks for the digests
   * that are referred to once it has looked what is there: so content whose digest is written down before it is put is
   * safe, however young.
   */
  sweep(referenced: () => Promise<ReadonlySet<string>>, graceMs: number): Promise<SweepResult>;
};

export type StoredBlob = { digest: string; bytes: number };
export type SweepResult = { removed: number; bytes: number };

export class BlobMissing extends Error {
  override name = "BlobMissing";
  readonly digest: string;
  constructor(digest: string) {
    super(`No stored bytes have the digest ${digest}.`);
    this.digest = digest;
  }
}

export class BlobDamaged extends Error {
  override name = "BlobDamaged";
  readonly digest: string;
  constructor(digest: string) {
    super(`The stored bytes of ${digest} have changed: their digest differs.`);
    this.digest = digest;
  }
}
