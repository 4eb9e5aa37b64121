//! The programs as a user runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A checkout of posteriordb: named by `PPL_POSTERIORDB`, or beside the workspace.
fn posteriordb() -> Option<PathBuf> {
    let named = std::env::var_os("PPL_POSTERIORDB").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/posteriordb");
    let found = named.into_iter().chain([beside]).find(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: no checkout of posteriordb (name it with PPL_POSTERIORDB)");
    }
    found
}

#[test]
fn posterior_means_are_those_of_the_reference_draws() {
    let Some(dir) = posteriordb() else { return };
    let output = run(env!("CARGO_BIN_EXE_posteriordb"), &[&dir.to_string_lossy()]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (posterior, limit) in [
        // The mean-field optimum of eight schools is off by 0.21, on tau.
        ("eight_schools-eight_schools_noncentered", 0.25),
        ("sblrc-blr", 0.05),
        ("kidiq-kidscore_momhsiq", 0.05),
        ("arK-arK", 0.05),
        ("gp_pois_regr-gp_regr", 0.05),
        ("low_dim_gauss_mix-low_dim_gauss_mix", 0.05),
    ] {
        let own = table.split(&format!("{posterior}\n")).nth(1).unwrap_or_else(|| panic!("{posterior} is in the output"));
        let error =
            own.split("overall: largest error ").nth(1).and_then(|rest| rest.split(' ').next()).expect("an overall error");
        let error: f64 = error.parse().expect("a number");
        assert!(error < limit, "{posterior}: {error} reference standard deviations");
    }
}

#[cfg(feature = "nuts")]
#[test]
fn chains_have_the_means_of_the_reference_draws() {
    let Some(dir) = posteriordb() else { return };
    let (schools, regression) = ("eight_schools-eight_schools_noncentered", "sblrc-blr");
    let output = run(env!("CARGO_BIN_EXE_posteriordb"), &[&dir.to_string_lossy(), schools, regression, "--nuts", "2000"]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let errors: Vec<f64> =
        table.lines().filter_map(|line| line.strip_prefix("  chains: largest error ")?.split(' ').nth(2)?.parse().ok()).collect();
    // The largest of up to ten, in standard errors of both.
    assert!(errors.len() == 2 && errors.iter().all(|error| *error < 4.0), "{table}");
}

#[test]
fn json_lines_have_the_names_of_posteriordb() {
    let Some(dir) = posteriordb() else { return };
    let output = run(env!("CARGO_BIN_EXE_posteriordb"), &[&dir.to_string_lossy(), "arK", "--json", "--seed", "3"]);
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON line");
    assert_eq!(line["posterior"], "arK-arK");
    assert_eq!(line["guide"], "full_rank");
    assert!(line["params"]["beta[5]"][0].is_number() && line["seconds"].is_number() && line["elbo"].is_number());
}

#[test]
fn unknown_posteriors_and_folders_are_named() {
    let output = run(env!("CARGO_BIN_EXE_posteriordb"), &["no-such-folder"]);
    assert!(!output.status.success() && text(&output.stderr).contains("no-such-folder"));
    let Some(dir) = posteriordb() else { return };
    let output = run(env!("CARGO_BIN_EXE_posteriordb"), &[&dir.to_string_lossy(), "no-such-posterior"]);
    let message = text(&output.stderr);
    assert!(message.contains("no-such-posterior") && message.contains("sblrc-blr"), "{message}");
}

#[test]
fn a_guide_of_ones_own_ends_where_the_mean_field_does() {
    let output = run(env!("CARGO_BIN_EXE_own_guide"), &[]);
    let table = text(&output.stdout);
    let furthest = table.split("furthest from each other: ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a distance");
    assert!(furthest.parse::<f64>().expect("a number") < 0.05, "{table}");
}

#[test]
fn homes_shows_the_names_of_the_counties_and_refuses_bad_tables() {
    let output = run(env!("CARGO_BIN_EXE_homes"), &[]);
    assert!(output.status.success() && text(&output.stdout).contains("alpha[MAPLE]"), "{}", text(&output.stderr));
    let path = std::env::temp_dir().join(format!("ppl-homes-{}.csv", std::process::id()));
    std::fs::write(&path, "county,floor,uranium,log_radon\nA,0,0.1,1.5\nA,x,0.1,1.5\n").expect("a temporary file");
    let output = run(env!("CARGO_BIN_EXE_homes"), &[&path.to_string_lossy()]);
    std::fs::remove_file(&path).expect("the file is there");
    let message = text(&output.stderr);
    assert!(message.contains("line 3") && message.contains("floor") && message.contains('x'), "{message}");
}

#[test]
fn sentences_keep_their_latents_in_use_and_bad_texts_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (out, file) = (folder.path().join("out"), folder.path().join("text"));
    let (out, name) = (out.to_string_lossy(), file.to_string_lossy());
    let output = run(env!("CARGO_BIN_EXE_sentences"), &["--out", &out, "--epochs", "8", "--hidden", "32"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let held_out = said.lines().filter_map(|line| line.strip_prefix("held-out sentences: ")?.split("divergence ").nth(1));
    let divergences: Vec<f64> = held_out.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect();
    let [without, with] = divergences[..] else { panic!("two auto-encoders: {said}") };
    assert!(without < 0.1 && with > 0.3, "divergences of {without} without a cure, and {with} with both");
    let texts = std::fs::read_to_string(folder.path().join("out/with.txt")).expect("what is printed is written");
    assert!(texts.contains("reconstructions") && texts.contains("samples from the prior") && said.contains(&texts));
    assert!(folder.path().join("out/with.png").is_file());

    let refused = |arguments: &[&str]| {
        let output = run(env!("CARGO_BIN_EXE_sentences"), &[&["--out", &out, "--text", &name], arguments].concat());
        assert!(!output.status.success());
        text(&output.stderr)
    };
    assert!(refused(&[]).starts_with(&format!("error: {name}: ")), "{}", refused(&[]));
    std::fs::write(&file, "").expect("the folder is there");
    assert!(refused(&[]).contains("there are 0 lines with words, and at least 20 are needed"));
    std::fs::write(&file, b"a line\nanother \xff\n").expect("the folder is there");
    assert!(refused(&[]).contains("line 2: the text is not UTF-8"));
    std::fs::write(&file, "one two three four five\n".repeat(30)).expect("the folder is there");
    assert!(refused(&["--longest", "3"]).contains("set `--longest`, which half of the lines have from 5 on"));
    assert!(refused(&["--word-dropout", "2"]).contains("it must be 0 to 1"));
}
