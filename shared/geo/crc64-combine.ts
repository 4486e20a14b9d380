/**
 * CRC-64/NVME of two pieces one after the other, from the CRCs of the pieces: the CRC is linear over GF(2), so that bytes
 * which follow only multiply what came before by a power of x. No package has it for this polynomial.
 */

/** The polynomial, reflected: bit 63 stands for x⁰. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const ONE = 1n << 63n;
/** x⁸: what one byte more multiplies by. */
const X8 = 1n << 55n;

/** The product of two polynomials, modulo the CRC's. */
const multiply = (a: bigint, b: bigint): bigint => {
  let product = 0n;
  let shifted = a;
  for (let bit = 63n; bit >= 0n; bit -= 1n) {
    if (((b >> bit) & 1n) === 1n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return product;
};

/** x to the power of 8 times `bytes`. */
const powerOfBytes = (bytes: number): bigint => {
  let power = ONE;
  let square = X8;
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
};

/**
 * @param first the CRC of what comes first, 16 hex digits; of nothing it is all zeros
 * @param second the CRC of what follows, 16 hex digits
 * @param secondBytes how many bytes follow
 */
export const combineCrc64 = (first: string, second: string, secondBytes: number): string => {
  const combined = multiply(BigInt(`0x${first}`), powerOfBytes(secondBytes)) ^ BigInt(`0x${second}`);
  return combined.toString(16).padStart(16, "0");
};

/** The CRC of no bytes. */
export const CRC64_OF_NOTHING = "0".repeat(16);
