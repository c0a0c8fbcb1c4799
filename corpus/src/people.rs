//! What tells of a person: addresses, telephones, documents, birthdays; and of machines.

use crate::Maker;
use crate::random::Random;

pub(crate) const MAKERS: &[Maker] = &[
    Maker::of("email", "email", email),
    Maker::of("phone", "phone_paren", |random| {
        us_phone(random, "(", ") ", "-")
    }),
    Maker::of("phone", "phone_dash", |random| {
        us_phone(random, "", "-", "-")
    }),
    Maker::of("phone", "phone_dot", |random| {
        us_phone(random, "", ".", ".")
    }),
    Maker::of("phone", "phone_bare", |random| us_phone(random, "", "", "")),
    Maker::of("phone", "phone_e164", |random| {
        us_phone(random, "+1", "", "")
    }),
    Maker::of("phone", "phone_plus", |random| {
        us_phone(random, "+1 ", "-", "-")
    }),
    Maker::of("phone", "phone_abroad", phone_abroad),
    Maker::of("us_passport", "passport", passport),
    Maker::of("us_driver_license", "license", license),
    Maker::of("date_of_birth", "birth_iso", |random| {
        birth(random, "y-m-d")
    }),
    Maker::of("date_of_birth", "birth_us", |random| birth(random, "m/d/y")),
    Maker::of("date_of_birth", "birth_text", birth_text),
    Maker::of("us_address", "address", |random| address(random, ", ")),
    Maker::of("us_address", "address_short", street),
    Maker::of("ip_address", "ip4", ip4),
    Maker::of("ip_address", "ip6", ip6),
];

const FIRST: &[&str] = &[
    "james", "maria", "wei", "fatima", "olga", "juan", "aisha", "peter", "sofia", "raj",
];
const LAST: &[&str] = &[
    "smith", "garcia", "chen", "haddad", "ivanova", "lopez", "okafor", "novak", "rossi", "patel",
];

fn email(random: &mut Random) -> String {
    let (first, last) = (*random.pick(FIRST), *random.pick(LAST));
    let local = match random.number(0..5) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}{}", random.number(1..100)),
        2 => format!("{}{last}", &first[..1]),
        3 => format!("{first}_{last}+news"),
        _ => format!("{last}-{first}"),
    };
    let domains = [
        "gmail.com",
        "example.com",
        "acme-corp.io",
        "uni-köln.de",
        "mail.bank.co.uk",
        "xn--bcher-kva.example",
        "health.gov",
    ];
    format!("{local}@{}", random.pick(&domains))
}

/// The North American Numbering Plan: area and exchange begin with 2 to 9.
fn us_phone(random: &mut Random, open: &str, close: &str, dash: &str) -> String {
    let (area, exchange) = (random.number(201..990), random.number(200..1000));
    format!("{open}{area}{close}{exchange}{dash}{}", random.digits(4))
}

/// ITU-T E.164 as it is written in other countries (ITU-T E.123).
fn phone_abroad(random: &mut Random) -> String {
    match random.number(0..5) {
        0 => format!("+44 20 {} {}", random.digits(4), random.digits(4)),
        1 => format!("+49 30 {}", random.digits(8)),
        2 => format!(
            "+33 1 {} {} {} {}",
            42,
            random.digits(2),
            random.digits(2),
            random.digits(2)
        ),
        3 => format!("+91 98{} {}", random.digits(3), random.digits(5)),
        _ => format!("+61 2 {} {}", random.digits(4), random.digits(4)),
    }
}

/// Department of State: nine digits, since 2021 a letter and eight.
fn passport(random: &mut Random) -> String {
    match random.number(0..2) {
        0 => format!("{}{}", random.number(1..10), random.digits(8)),
        _ => format!("{}{}", random.text("ACXYZ", 1), random.digits(8)),
    }
}

/// The forms of California, New York, Texas, Florida, Illinois, Ohio, New Jersey and Washington, by the list of the American
/// Association of Motor Vehicle Administrators.
fn license(random: &mut Random) -> String {
    match random.number(0..8) {
        0 => format!("{}{}", random.capitals(1), random.digits(7)),
        1 => random.digits(9),
        2 => random.digits(8),
        3 => format!("{}{}", random.capitals(1), random.digits(12)),
        4 => format!("{}{}", random.capitals(1), random.digits(11)),
        5 => format!("{}{}", random.capitals(2), random.digits(6)),
        6 => format!("{}{}", random.capitals(1), random.digits(14)),
        _ => format!("WDL{}", random.text("0123456789ABCDEFGHJKLMNP", 9)),
    }
}

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Jan",
    "Feb",
    "Apr",
    "Aug",
    "Sept",
    "Dec",
];

fn birth(random: &mut Random, form: &str) -> String {
    let (year, month, day) = date(random);
    if form == "y-m-d" {
        format!("{year}-{month:02}-{day:02}")
    } else {
        format!("{month:02}/{day:02}/{year}")
    }
}

fn birth_text(random: &mut Random) -> String {
    let (year, _, day) = date(random);
    let month = random.pick(MONTHS);
    match random.number(0..2) {
        0 => format!("{month} {day}, {year}"),
        _ => format!("{day} {month} {year}"),
    }
}

fn date(random: &mut Random) -> (u64, u64, u64) {
    (
        random.number(1935..2010),
        random.number(1..13),
        random.number(1..29),
    )
}

/// A delivery line by Publication 28 of the United States Postal Service.
fn street(random: &mut Random) -> String {
    let number = random.number(1..9999);
    let direction = random.pick(&["", "", "", "N ", "SW "]);
    let name = random.pick(&[
        "Main",
        "Oak",
        "Martin Luther King",
        "5th",
        "Elm",
        "Lincoln",
        "Cedar Hill",
        "42nd",
    ]);
    let suffix = random.pick(&[
        "St", "Street", "Ave", "Avenue", "Rd", "Blvd", "Lane", "Dr.", "Court", "Way", "Pkwy",
    ]);
    let unit = match random.number(0..4) {
        0 => format!(", Apt {}{}", random.number(1..40), random.capitals(1)),
        1 => format!(" Suite {}", random.number(100..999)),
        2 => format!(" #{}", random.number(1..99)),
        _ => String::new(),
    };
    format!("{number} {direction}{name} {suffix}{unit}")
}

fn address(random: &mut Random, separator: &str) -> String {
    let street = street(random);
    let city = random.pick(&[
        "Springfield",
        "New York",
        "San José",
        "Austin",
        "St. Louis",
        "Salt Lake City",
    ]);
    let state = random.pick(&["IL", "NY", "CA", "TX", "MO", "UT"]);
    let zip = random.number(10_000..99_999);
    let plus = match random.number(0..3) {
        0 => format!("-{}", random.digits(4)),
        _ => String::new(),
    };
    format!("{street}{separator}{city}, {state} {zip}{plus}")
}

pub(crate) fn ip4(random: &mut Random) -> String {
    let part = |random: &mut Random| random.number(0..256);
    let first = random.pick(&[10, 172, 192, 203, 8]);
    format!("{first}.{}.{}.{}", part(random), part(random), part(random))
}

fn ip6(random: &mut Random) -> String {
    format!(
        "2001:db8:{}:{}::{}",
        random.hex(4),
        random.hex(4),
        random.hex(3)
    )
}
