// How many messages of the phone network a text makes: it counts, and is paid, by these.

/** What the small alphabet holds (3GPP TS 23.038, section 6.2.1), and what takes two places in it (6.2.1.1). */
const PLAIN = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const DOUBLE = new Set("\f^{}\\[~]|€");

/** Places in the only message, and in each of several: their headers take room (TS 23.040, section 9.2.3.24.1). */
const ROOM = { plain: [160, 153], wide: [70, 67] };

/**
 * @param {string} text
 * @returns {{used: number, room: number, parts: number, isPlain: boolean}} used and room in places: of all parts together
 */
export function smsParts(text) {
  const letters = Array.from(text);
  const isPlain = letters.every((letter) => PLAIN.has(letter) || DOUBLE.has(letter));
  const sizes = letters.map((letter) => (isPlain ? (DOUBLE.has(letter) ? 2 : 1) : letter.length));
  const used = sizes.reduce((sum, size) => sum + size, 0);
  const [single, each] = isPlain ? ROOM.plain : ROOM.wide;
  if (used <= single) return { used, room: single, parts: 1, isPlain };
  const parts = pack(sizes, each);
  return { used, room: parts * each, parts, isPlain };
}

/** How many parts: no letter is torn in two. @param {number[]} sizes @param {number} each */
function pack(sizes, each) {
  let parts = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > each) {
      parts += 1;
      filled = 0;
    }
    filled += size;
  }
  return parts;
}
