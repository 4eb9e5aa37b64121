//! The arrows between the parts, the places of `unsafe`, and the stated minimum Rust version.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("a text");
            found.push((path, text));
        }
    }
    found
}

/// A part of a crate: the first folder or file below `src`.
fn part(path: &Path, src: &Path) -> String {
    let relative = path.strip_prefix(src).expect("below src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Checks that `use crate::part` only points to parts that stand earlier in the list, or in the same row of it.
fn check_arrows(krate: &str, order: &[&[&str]]) {
    let src = root().join(krate).join("src");
    let rank = |part: &str| order.iter().position(|row| row.contains(&part));
    let mut reversed = Vec::new();
    for (path, text) in sources(&src) {
        let own = part(&path, &src);
        let Some(own_rank) = rank(&own) else { continue };
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code
            .lines()
            .filter(|line| line.trim_start().starts_with("use crate::") || line.trim_start().starts_with("pub use crate::"))
        {
            let used = line.split("crate::").nth(1).unwrap_or_default();
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if rank(&used).is_some_and(|r| r > own_rank) {
                reversed.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(reversed.is_empty(), "reversed arrows:\n{}", reversed.join("\n"));
}

#[test]
fn arrows_of_the_engine_point_one_way() {
    check_arrows(
        "ppl-core",
        &[
            &["kernel", "indices"],
            &["linear_algebra"],
            &["random"],
            &["distributions"],
            &["bijectors"],
            &["model"],
            &["binding", "collect", "compiled", "rows"],
            &["tensor", "optimizers", "networks"],
            &["guides"],
            &["estimators"],
            &["diagnostics"],
            &["report"],
            &["fit", "files"],
            &["nuts"],
            &["prelude", "private"],
        ],
    );
}

#[test]
fn arrows_of_the_compiler_point_one_way() {
    check_arrows(
        "ppl-macros",
        &[
            &["catalogue", "diagnostics", "messages"],
            &["syntax"],
            &["ir", "check"],
            &["expand"],
            &["pipeline", "attributes", "registry"],
        ],
    );
    let src = root().join("ppl-macros").join("src");
    for (path, text) in sources(&src.join("expand")) {
        assert!(!text.contains("crate::syntax"), "{}: generated code is made of the model alone", path.display());
    }
    for (path, text) in sources(&src.join("check")) {
        assert!(!text.contains("quote"), "{}: checks make no tokens", path.display());
    }
}

#[test]
fn unsafe_code_is_where_it_is_proven() {
    let allowed = ["kernel/simd/", "kernel/dispatch.rs", "kernel/matrix.rs"];
    for krate in ["ppl-core", "ppl-macros"] {
        for (path, text) in sources(&root().join(krate).join("src")) {
            let name = path.to_string_lossy().replace('\\', "/");
            let uses = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl")
            });
            assert!(!uses || allowed.iter().any(|place| name.contains(place)), "{name} has unsafe code");
        }
    }
}

#[test]
fn the_minimum_rust_version_is_stated_truly() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let line = manifest.lines().find(|line| line.starts_with("rust-version")).expect("a version is stated");
    let version = line.split('"').nth(1).expect("in quotes");
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the readme");
    assert!(readme.contains(&format!("({version} or newer)")), "the readme states another version than {version}");

    let stated: Vec<u64> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    let cargo = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    // Crates of other platforms need not have been downloaded.
    let about = String::from_utf8(cargo(&["-vV"])).expect("a text");
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo knows its platform");
    let metadata = cargo(&["metadata", "--offline", "--format-version", "1", "--filter-platform", host]);
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).expect("metadata are JSON");
    for package in metadata["packages"].as_array().expect("a list") {
        let Some(needed) = package["rust_version"].as_str() else { continue };
        let needed: Vec<u64> = needed.split('.').map(|part| part.parse().unwrap_or(0)).take(2).collect();
        assert!(needed <= stated, "{} needs Rust {needed:?}, and {version} is stated", package["name"]);
    }
}
