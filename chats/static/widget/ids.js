// Names that nobody else gives.

/** @returns {string} 128 random bits */
export function newId() {
  // randomUUID exists on secure pages only, and a first try-out is often a plain http address in one's own network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
