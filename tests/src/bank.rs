//! What makes the bank's numbers valid, written from the standards and apart from both the data's generator and the masker's
//! detectors, so that it can judge either.

/// ISO/IEC 7812-1, annex B: digits counted from the right, every second one doubled, sum to a multiple of ten.
#[must_use]
pub fn luhn(number: &str) -> bool {
    let Some(digits) = digits(number) else {
        return false;
    };
    let weigh = |(place, digit): (usize, &u32)| {
        if place % 2 == 0 {
            *digit
        } else {
            digit * 2 / 10 + digit * 2 % 10
        }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(weigh).sum();
    sum.is_multiple_of(10)
}

/// A US Social Security number as it can be issued: `AAA-GG-SSSS`, area not 000, 666 or 900 and above, group not 00, serial
/// not 0000, and none of the numbers that were printed in advertisements.
#[must_use]
pub fn us_ssn(number: &str) -> bool {
    let parts: Vec<&str> = number.split('-').collect();
    let [area, group, serial] = parts[..] else {
        return false;
    };
    if (area.len(), group.len(), serial.len()) != (3, 2, 4)
        || digits(&number.replace('-', "")).is_none()
    {
        return false;
    }
    let possible =
        area != "000" && area != "666" && area < "900" && group != "00" && serial != "0000";
    possible && !["078-05-1120", "219-09-9999"].contains(&number)
}

/// ISO 13616: the first four characters moved to the end, letters read as 10 to 35, the number leaves 1 when divided by 97.
#[must_use]
pub fn iban(number: &str) -> bool {
    if !number.is_ascii() || number.len() < 15 || number.len() > 34 {
        return false;
    }
    let (front, account) = number.split_at(4);
    let mut rest = 0;
    for letter in account.chars().chain(front.chars()) {
        let Some(value) = letter.to_digit(36).filter(|_| !letter.is_lowercase()) else {
            return false;
        };
        rest = (if value < 10 { rest * 10 } else { rest * 100 } + value) % 97;
    }
    rest == 1
}

/// ABA: nine digits weighted 3, 7, 1 sum to a multiple of ten.
#[must_use]
pub fn us_routing(number: &str) -> bool {
    let Some(digits) = digits(number).filter(|digits| digits.len() == 9) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .zip([3, 7, 1].iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum.is_multiple_of(10)
}

fn digits(number: &str) -> Option<Vec<u32>> {
    number.chars().map(|digit| digit.to_digit(10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_are_valid_and_one_wrong_digit_is_not() {
        for (valid, wrong, rule) in [
            (
                "4111111111111111",
                "4111111111111112",
                luhn as fn(&str) -> bool,
            ),
            ("378282246310005", "378282246310006", luhn),
            ("GB82WEST12345698765432", "GB82WEST12345698765433", iban),
            ("DE89370400440532013000", "DE88370400440532013000", iban),
            ("021000021", "021000022", us_routing),
            ("123-45-6789", "666-45-6789", us_ssn),
        ] {
            assert!(rule(valid), "{valid}");
            assert!(!rule(wrong), "{wrong}");
        }
    }

    #[test]
    fn other_shapes_are_not_valid() {
        assert!(!luhn("4111 1111 1111 1111"));
        assert!(!us_ssn("123456789"));
        assert!(!us_ssn("078-05-1120"));
        assert!(!iban("gb82west12345698765432"));
        assert!(!us_routing("21000021"));
    }
}
