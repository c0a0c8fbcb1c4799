//! How fast the masker is on one core: JSON lines of MB/s and nanoseconds a value.
//!
//! `cargo run --release -p mask --example mask_bench [FOLDER]`; with a folder the texts are written into it, for others to
//! be measured with the same. All texts are made from a seed, and no line of them is like the next. `MASK_CASE=dense` measures the cases alone whose names hold that.

use std::sync::Arc;
use std::time::Duration;

use corpus::Random;
use mask::{
    ColumnPlan, CopyFormat, CopyMasker, CopyPlan, Findings, Hint, Masker, MaskerConfig, TextFormat,
};

/// So long each case is measured, and so long a part of it, which is many times what the kernel counts at once.
const TIME: Duration = Duration::from_millis(900);
const PART: Duration = Duration::from_millis(150);

fn main() {
    let masker = Arc::new(Masker::new(MaskerConfig::default()));
    let folder = std::env::args().nth(1);
    for (name, make) in texts() {
        if !is_asked(name) {
            continue;
        }
        let text = make();
        if let Some(folder) = &folder {
            std::fs::write(std::path::Path::new(folder).join(name), &text)
                .expect("the folder can be written");
        }
        let bytes = text.len();
        let mut out = Vec::with_capacity(2 * bytes);
        let found = found(&masker, &text);
        report(name, bytes, 1, found, || {
            out.clear();
            let _ = masker.mask_text(
                Hint::NONE,
                text.as_bytes(),
                &mut out,
                &mut Findings::counting(),
            );
        });
    }
    for (name, cells) in cells() {
        let bytes = cells.iter().map(String::len).sum();
        let mut out = Vec::new();
        let mut findings = Findings::counting();
        report(name, bytes, cells.len(), 0, || {
            for cell in &cells {
                out.clear();
                let _ = masker.mask_text(Hint::NONE, cell.as_bytes(), &mut out, &mut findings);
            }
        });
    }
    for (name, cards) in [("copy_clean", false), ("copy_masked", true)] {
        copy(&masker, name, cards);
    }
}

fn copy(masker: &Arc<Masker>, name: &str, cards: bool) {
    let mut random = Random::new(SEED);
    let rows: String = (0..20_000)
        .map(|row| {
            let card = if cards { "«card»" } else { "no card" };
            let state = random.pick(&["paid in full", "open", "refunded by the shop", "overdue"]);
            let template = format!("{row}\tAnn Example {row}\t{card}\t«timestamp»\t{state}\n");
            corpus::filled(&mut random, &template)
        })
        .collect();
    let scan = || (String::from("c"), ColumnPlan::Scan(Hint::NONE));
    let plan = CopyPlan {
        format: CopyFormat::Text(TextFormat::default()),
        header: false,
        columns: vec![
            (String::from("id"), ColumnPlan::Clear),
            scan(),
            scan(),
            (String::from("t"), ColumnPlan::Clear),
            scan(),
        ],
    };
    let mut out = Vec::with_capacity(2 * rows.len());
    report(name, rows.len(), 20_000, 0, || {
        out.clear();
        let mut findings = Findings::counting();
        let mut copy = CopyMasker::new(Arc::clone(masker), plan.clone(), &mut findings);
        for piece in rows.as_bytes().chunks(8192) {
            copy.push(piece, &mut out, &mut findings).expect("rows fit");
        }
        copy.finish().expect("rows are whole");
    });
}

fn found(masker: &Masker, text: &str) -> u64 {
    let mut findings = Findings::counting();
    let _ = masker.mask_text(Hint::NONE, text.as_bytes(), &mut Vec::new(), &mut findings);
    findings.total()
}

const SEED: u64 = 2026;

const ENGLISH: &str = "the of and a to in he have it that for they with as not on she at by this we you do but from or which one \
    would all will there say who make when can more if no man out other so what time up go about than into could state only new \
    year some take come these know see use get like then first any work now may such give over think most even find day also after \
    way many must look before great back through long where much should well people down own just because good each those feel seem \
    how high too place little world very still nation hand old life tell write become here show house both between need mean call \
    develop under last right move thing general school never same another begin while number part turn real leave might want point \
    form off child few small since against ask late home interest large person end open public follow during present without again \
    hold govern around possible head consider word program problem however lead system set order eye plan run keep face fact group";

const FRENCH: &str = "où sont passés les élèves du collège déjà rentrés à la maison près de la forêt être avoir après même côté année \
    père mère frère tête fenêtre hôtel château théâtre été hiver très peu beaucoup français étranger garçon leçon façon naïf maïs noël \
    cœur sœur œuvre bœuf une des qui que dans sur pour avec sans sous entre chez nous vous ils elles leur cette ces tout tous";

const LOGS: [&str; 6] = [
    "«timestamp» INFO worker-«pod» request «git_short» took 35 ms, 4096 bytes from «ip4»:5432",
    "«timestamp» DEBUG cache miss for item «customer_id» in «float» s",
    "«timestamp» WARN «ip4» - - \"GET /users/«customer_id» HTTP/1.1\" 200 2326 \"-\" \"curl/«version»\"",
    "«epoch_ms» level=info msg=\"job done\" id=«git_short» tries=2",
    "«timestamp» INFO order «order_number» for part «part_number», ticket «ticket»",
    "«timestamp» ERROR span «uuid» closed by peer after «amount» bytes",
];

/// Findings right behind one another.
const DENSE: [&str; 3] = [
    "«card_dashed», «email», «ssn»; «iban_spaced» | ",
    "«email»\t«phone_paren»\t«card»\t«ssn»\n",
    "card «card_spaced», mail «email»; ssn «ssn_bare», account «iban» | ",
];

const URLS: [&str; 3] = [
    "GET /search?q=blue%20shoes%2C%20size%20«customer_id»&page=3&ref=%2Fhome%2Fsale HTTP/1.1 200 from a&nbsp;client\n",
    "GET /items/«customer_id»?filter=%7B%22n%22%3A«customer_id»%7D HTTP/1.1 404\n",
    "POST /v1/events?id=«uuid»&name=caf%C3%A9%20noir&at=«epoch» HTTP/1.1 204\n",
];

/// So many sentences of these words.
fn sentences(words: &str, count: usize) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut random = Random::new(SEED);
    let mut text = String::new();
    for _ in 0..count {
        let length = random.number(6..20);
        for place in 0..length {
            let word = *random.pick(&words);
            let mut chars = word.chars();
            match chars.next().filter(|_| place == 0) {
                Some(first) => text.extend(first.to_uppercase().chain(chars)),
                None => text.push_str(word),
            }
            text.push_str(if place + 1 == length { ". " } else { " " });
        }
    }
    text
}

/// So many of these templates, filled.
fn filled(templates: &[&str], end: &str, count: usize) -> String {
    let mut random = Random::new(SEED);
    let lines = (0..count).map(|_| {
        let template = *random.pick(templates);
        // What is beyond ASCII has a text of its own.
        let mut made = std::iter::repeat_with(|| corpus::filled(&mut random, template));
        made.find(|line| line.is_ascii()).unwrap_or_default() + end
    });
    lines.collect()
}

/// Prose with a few findings.
fn sparse() -> String {
    let prose = sentences(ENGLISH, 48_000);
    let findings = filled(&DENSE, "\n", 600);
    let mut findings = findings.lines();
    let sentences: Vec<&str> = prose.split_inclusive(". ").collect();
    let parts = sentences
        .chunks(80)
        .map(|some| some.concat() + findings.next().unwrap_or_default());
    parts.collect()
}

/// Makes a text.
type Make = fn() -> String;

fn texts() -> Vec<(&'static str, Make)> {
    vec![
        ("clean_prose", || sentences(ENGLISH, 60_000)),
        ("clean_log", || filled(&LOGS, "\n", 40_000)),
        ("clean_non_ascii", || sentences(FRENCH, 50_000)),
        ("sparse", sparse),
        ("dense", || filled(&DENSE, "", 40_000)),
        ("clean_hashes", || digests(60_000)),
        ("clean_url", || filled(&URLS, "", 30_000)),
        ("base64_picture", || {
            base64(3_000_000, |random| random >> 32)
        }),
        ("base64_text", || {
            base64(3_000_000, |random| 97 + (random >> 32) % 25)
        }),
        ("digits", || {
            let digit = |random: u64| char::from(b'0' + (random >> 40) as u8 % 10);
            random().take(3_000_000).map(digit).collect()
        }),
    ]
}

/// Numbers that only look random.
fn random() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1_u64), |last| {
        Some(
            last.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407),
        )
    })
}

/// Lines with digests and identifiers.
fn digests(lines: usize) -> String {
    let line = |it: u64| {
        let (high, low) = (it | 1 << 63, it.rotate_left(17) | 1 << 63);
        format!(
            "object {high:016x}{low:016x} of {:08x}-{:04x}-4abc-8def-00{:010x}\n",
            high >> 32,
            low >> 48,
            low >> 24
        )
    };
    random().skip(1).take(lines).map(line).collect()
}

/// Bytes in base64, without a line's end.
fn base64(len: usize, byte: impl Fn(u64) -> u64) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u64> = random().map(|it| byte(it) & 0xFF).take(len).collect();
    let group = |three: &[u64]| {
        let all = three.iter().fold(0, |all, byte| all << 8 | byte);
        [18, 12, 6, 0].map(|shift| ALPHABET.chars().nth((all >> shift & 63) as usize))
    };
    bytes.chunks_exact(3).flat_map(group).flatten().collect()
}

fn cells() -> Vec<(&'static str, Vec<String>)> {
    let many = |make: &dyn Fn(u64) -> String| (0..10_000_u64).map(make).collect::<Vec<_>>();
    vec![
        ("cell_word", many(&|n| format!("word{}", n % 1000))),
        (
            "cell_name",
            many(&|n| format!("Ann Example, Sample Street no {}", n % 100)),
        ),
        ("cell_accent", many(&|n| format!("Jörg Müller {}", n % 100))),
        ("cell_int", many(&|n| (n * 7919).to_string())),
        (
            "cell_bigint",
            many(&|n| (n * 1_000_003 + 1_700_000_000_000).to_string()),
        ),
        (
            "cell_timestamp",
            many(&|n| format!("2024-01-15 10:{:02}:{:02}.123456+00", n / 60 % 60, n % 60)),
        ),
        (
            "cell_uuid",
            many(&|n| format!("{:08x}-1234-4abc-8def-{:012x}", n * 40_503, n * 1_000_003)),
        ),
        ("cell_float", many(&|n| format!("{}", (n as f64).sqrt()))),
        ("cell_card", many(&|_| String::from("4111111111111111"))),
        ("cell_email", many(&|n| format!("user{n}@example.com"))),
    ]
}

/// Whether `MASK_CASE` leaves a case out.
fn is_asked(name: &str) -> bool {
    let only = std::env::var("MASK_CASE").unwrap_or_default();
    name.contains(&only)
}

/// Runs for a while and prints the quickest part of that, by the processor's time and not the clock's, so that other load disturbs
/// it least.
fn report(name: &str, bytes: usize, values: usize, found: u64, mut run: impl FnMut()) {
    if !is_asked(name) {
        return;
    }
    let mut best = f64::INFINITY;
    let began = processor_time();
    let mut runs = 1;
    while processor_time() - began < TIME {
        let start = processor_time();
        (0..runs).for_each(|_| run());
        let took = processor_time() - start;
        if took < PART {
            runs *= 2;
        } else {
            best = best.min(took.as_secs_f64() / f64::from(runs));
        }
    }
    let mb_per_s = bytes as f64 / best / 1e6;
    let ns_per_value = best * 1e9 / values as f64;
    println!(
        "{{\"bench\":\"mask\",\"case\":\"{name}\",\"mb_per_s\":{mb_per_s:.0},\"ns_per_value\":{ns_per_value:.1},\
         \"values\":{values},\"bytes\":{bytes},\"found\":{found}}}"
    );
}

/// How long this thread ran: the first number that Linux gives (Documentation/scheduler/sched-stats).
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat");
    let stat = stat.expect("Linux tells of each thread how long it ran");
    let ran = stat.split(' ').next().and_then(|ran| ran.parse().ok());
    Duration::from_nanos(ran.expect("a number of nanoseconds"))
}
