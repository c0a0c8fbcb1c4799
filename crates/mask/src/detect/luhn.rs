//! The check digit of cards: ISO/IEC 7812-1, annex B, by the formula of Luhn.

/// Whether the last digit is the check digit of those before it.
pub(crate) fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let mut sum = 0_u32;
    for (place, digit) in digits.rev().enumerate() {
        sum += if place & 1 == 0 {
            u32::from(digit)
        } else {
            doubled(digit)
        };
    }
    sum.is_multiple_of(10)
}

/// What a digit counts in a sum of Luhn that is doubled.
#[inline]
pub(super) fn doubled(digit: u8) -> u32 {
    const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    DOUBLED
        .get(usize::from(digit))
        .copied()
        .unwrap_or_default()
        .into()
}

/// The number that four digits are, and their sums of Luhn where the last counts once, and where it counts twice.
#[inline]
pub(super) fn four_digits(digits: [u8; 4]) -> (u64, [u32; 2]) {
    const ONES: u32 = 0x0101_0101;
    /// The first of the four and the third.
    const ODD: u32 = 0x00FF_00FF;
    let digits = u32::from_le_bytes(digits) ^ (ONES * u32::from(b'0'));
    let above_four = (digits + ONES * 123) >> 7 & ONES;
    let doubled = 2 * digits - 9 * above_four;
    let sum = |all: u32| all.wrapping_mul(ONES) >> 24;
    let once = sum(digits & !ODD | doubled & ODD);
    let twice = sum(digits & ODD | doubled & !ODD);
    let pairs = (10 * digits + (digits >> 8)) & ODD;
    let value = (100 * pairs + (pairs >> 16)) & 0xFFFF;
    (value.into(), [once, twice])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_what_each_is() {
        for number in 0..10_000 {
            let text = format!("{number:04}");
            let digits: [u8; 4] = text.as_bytes().try_into().unwrap();
            let [first, second, third, fourth] = digits.map(|digit| digit - b'0');
            let once = doubled(first) + u32::from(second) + doubled(third) + u32::from(fourth);
            let twice = u32::from(first) + doubled(second) + u32::from(third) + doubled(fourth);
            assert_eq!(four_digits(digits), (number, [once, twice]));
        }
    }
}
