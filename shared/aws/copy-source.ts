/** `encodeURIComponent` leaves five characters alone that a strict reader may take for syntax. */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * The copy source of one pinned version: `bucket/key?versionId=…`. Each segment of the key is encoded by itself, so that
 * a `?`, `%` or `+` in a key can not be read as something else (R36), and slashes stay as they are.
 *
 * @throws URIError when the key holds half a surrogate pair, which no S3 key can.
 */
export const copySource = (bucket: string, key: string, versionId: string): string =>
  `${bucket}/${key.split("/").map(encodeSegment).join("/")}?versionId=${encodeSegment(versionId)}`;
