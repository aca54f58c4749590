//! The verb `rpcd`: what rpcd is told of the methods, and what they answer to good arguments and bad ones.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use nix::mount::{MsFlags, mount};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wansplit::config::parse;

/// A directory like /etc/config, with some files in it. Gone when it is dropped.
struct Etc(PathBuf);

impl Etc {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rpcd-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let etc = Self(folder);
        files.iter().for_each(|(name, text)| std::fs::write(etc.file(name), text).unwrap());
        etc
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Exit code, standard output, standard error.
    fn run(&self, words: &[&str], input: &[u8]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wansplit"));
        command.args(["--config", &self.file("wansplit")]).args(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that ends before it reads does not want the rest.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
    }

    /// Exit code and answer of a method: one JSON object, whatever happens.
    fn call_with(&self, method: &str, input: &[u8]) -> (i32, Value) {
        let (code, output, errors) = self.run(&["rpcd", "call", method], input);
        let answer: Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("{method}: {output}{errors}"));
        assert!(answer.is_object(), "{answer}");
        (code, answer)
    }

    fn call(&self, method: &str, arguments: &Value) -> Value {
        let (code, answer) = self.call_with(method, arguments.to_string().as_bytes());
        assert_eq!(code, 0, "{answer:#}");
        answer
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fixtures(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|own| own == extension)).collect();
    files.sort();
    files
}

#[test]
fn the_methods_are_listed_with_the_types_of_their_arguments() {
    let etc = Etc::new("list", &[]);
    let (code, output, errors) = etc.run(&["rpcd", "list"], b"");
    assert_eq!((code, errors.as_str()), (0, ""));
    let expected = json!({
        "check": { "config": "" }, "connections": { "link": "", "rule": "", "local": true, "text": "", "limit": 32 }, "others": {},
        "import": { "program": "" }, "resolve": { "name": "" },
    });
    let listed: Value = serde_json::from_str(&output).unwrap();
    // rpcd looks at the type of each value; of a number also at what it is: 32 bits.
    let types = |methods: &Value| {
        let all = methods.as_object().unwrap().iter();
        all.map(|(name, arguments)| {
            let all = arguments.as_object().unwrap().iter();
            let kind = |value: &Value| if value.is_string() { "text".to_owned() } else { value.to_string() };
            (name.clone(), all.map(|(name, value)| (name.clone(), kind(value))).collect::<Vec<_>>())
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(types(&listed), types(&expected));
    // Each of them answers; import and resolve need to be told what.
    for method in listed.as_object().unwrap().keys() {
        let (code, answer) = etc.call_with(method, b"{}");
        assert_eq!(code != 0, answer["error"].is_string(), "{method}: {answer}");
    }
}

#[test]
fn bad_input_is_an_error_in_the_answer() {
    let etc = Etc::new("bad", &[]);
    let nested = "[".repeat(100_000);
    let huge = format!("{{\"config\": \"{}\"}}", "x".repeat(300_000));
    let cases: [(&str, &[u8], &str); 11] = [
        ("check", b"{\"config\": 7}", "the argument 'config' must be a text"),
        ("check", b"[]", "no JSON object"),
        ("check", b"7", "no JSON object"),
        ("check", b"{\"config\": \"conf", "more than 64 KB do not fit"),
        ("check", b"{config}", "not JSON"),
        ("check", b"{\"config\": \"\xff\"}", "not UTF-8"),
        ("check", nested.as_bytes(), "not JSON"),
        ("check", huge.as_bytes(), "longer than 256 KiB"),
        ("connections", b"{\"limit\": -1}", "the argument 'limit' must be a number"),
        ("connections", b"{\"limit\": 99999999999}", "the argument 'limit' must be a number"),
        ("connections", b"{\"limit\": \"many\"}", "the argument 'limit' must be a number"),
    ];
    for (method, input, expected) in cases {
        let (code, answer) = etc.call_with(method, input);
        let error = answer["error"].as_str().unwrap();
        assert!(code == 2 && error.contains(expected), "{method}: {error}");
    }
    let (code, answer) = etc.call_with("reboot", b"{}");
    assert_eq!(
        (code, answer["error"].as_str().unwrap()),
        (2, "there is no method 'reboot': check, connections, others, import, resolve")
    );
    for words in [&["rpcd", "call"][..], &["rpcd"], &["rpcd", "show"], &["rpcd", "list", "check"]] {
        let (code, output, errors) = etc.run(words, b"");
        assert_eq!((code, output.as_str()), (2, ""), "{errors}");
    }
}

/// The same as `wansplit check` says of a file with this text, in every case of its own tests.
#[test]
fn check_says_what_the_verb_says() {
    lab::isolated(|| {
        let etc = Etc::new("check", &[]);
        let (mut compared, mut wrong) = (0, 0);
        for path in fixtures("fixtures/diagnostics", "uci").into_iter().chain(fixtures("fixtures/diagnostics", "json"))
        {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            std::fs::write(etc.file("wansplit"), &text).unwrap();
            let (code, said, _) = etc.run(&["check", "--json"], b"");
            let expected: Value = serde_json::from_str(&said).unwrap();
            // The file itself plays no part.
            std::fs::remove_file(etc.file("wansplit")).unwrap();
            let answer = etc.call("check", &json!({ "config": text, "ubus_rpc_session": "0" }));
            assert_eq!(answer["findings"], expected, "{}", path.display());
            assert_eq!(answer["valid"], code == 0, "{}", path.display());
            compared += 1;
            wrong += usize::from(code != 0);
        }
        assert!(compared > 50 && wrong > 20 && wrong < compared, "{wrong} of {compared}");
        // What is odd about the world is told as well: there is no such device here.
        let text = "config globals 'globals'\n\toption enabled '1'\nconfig link 'A'\n\toption device 'eth77'\n\toption gateway '192.0.2.1'\n";
        let answer = etc.call("check", &json!({ "config": text }));
        let told = answer["findings"].as_array().unwrap().iter();
        let told: Vec<_> = told.filter(|own| own["section"] == "link 'A'" && own["line"] == 3).collect();
        assert!(answer["valid"] == true && told.len() == 1, "{answer:#}");
        assert!(told[0]["message"].as_str().unwrap().contains("eth77"), "{answer:#}");
        assert_eq!(etc.call("check", &json!({ "config": "" }))["valid"], true);
    });
}

/// The sections of an answer, written as UCI by nobody's code but this.
fn written(sections: &Value) -> String {
    let mut text = String::new();
    let quoted = |value: &Value| format!("'{}'", value.as_str().unwrap().replace('\'', r"'\''"));
    for section in sections.as_array().unwrap() {
        write!(text, "config {}", section["type"].as_str().unwrap()).unwrap();
        let name = section["name"].as_str().map_or(String::new(), |name| format!(" {name}"));
        writeln!(text, "{name}").unwrap();
        for (option, value) in section["options"].as_object().unwrap() {
            match value.as_array() {
                Some(values) => values.iter().for_each(|one| writeln!(text, "list {option} {}", quoted(one)).unwrap()),
                None => writeln!(text, "option {option} {}", quoted(value)).unwrap(),
            }
        }
    }
    text
}

/// Type, name, and of each option its name, whether it is a list, and its values.
type Content = (String, Option<String>, Vec<(String, bool, Vec<String>)>);

/// What a text says, without where it says it; the options in alphabetical order.
fn content(text: &str) -> Vec<Content> {
    let (document, problems) = parse(text.as_bytes());
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    let sections = document.sections.iter().map(|section| {
        let values = |option: &wansplit::config::source::RawOption| {
            option.values.iter().map(|value| value.value.to_string()).collect()
        };
        let mut options: Vec<_> = section
            .options
            .iter()
            .map(|option| (option.name.value.to_string(), option.is_list, values(option)))
            .collect();
        options.sort();
        (section.kind.value.to_string(), section.name.as_ref().map(|name| name.value.to_string()), options)
    });
    sections.collect()
}

#[test]
fn import_says_what_the_verb_says_and_the_sections_are_the_text() {
    let mut imported = 0;
    let mwan3 = fixtures("golden/import/mwan3", "uci").into_iter().map(|path| ("mwan3", path));
    for (program, path) in mwan3.chain(fixtures("fixtures/import_pbr", "conf").into_iter().map(|path| ("pbr", path))) {
        let text = std::fs::read(&path).unwrap();
        let etc = Etc::new("import", &[(program, &text)]);
        let (code, expected, report) = etc.run(&["import", program, &etc.file(program)], b"");
        let (own_code, answer) = etc.call_with("import", json!({ "program": program }).to_string().as_bytes());
        assert_eq!(own_code, code, "{}: {answer:#}", path.display());
        if code != 0 {
            assert_eq!(format!("wansplit: {}\n", answer["error"].as_str().unwrap()), report);
            continue;
        }
        assert_eq!(answer["config"], expected, "{}", path.display());
        let remarks: Vec<&str> = report.lines().collect();
        assert_eq!(answer["remarks"], json!(remarks[..remarks.len() - 1]), "the last line is a summary");
        assert_eq!(content(&written(&answer["sections"])), content(&expected), "{}", path.display());
        imported += 1;
    }
    assert!(imported > 25, "{imported}");
}

#[test]
fn import_takes_the_further_files_that_are_there() {
    let mwan3 = b"config rule 'r'\n\toption ipset 'streams'\n\toption use_policy 'default'\n";
    let dhcp = b"config ipset\n\tlist name 'streams'\n\tlist domain 'example.com'\n";
    let firewall = b"config ipset\n\toption name 'streams'\n\toption match 'dest_net'\n\tlist entry '192.0.2.0/24'\n";
    let sets = |files: &[(&str, &[u8])]| {
        let etc = Etc::new("more", files);
        let answer = etc.call("import", &json!({ "program": "mwan3" }));
        let sections = answer["sections"].as_array().unwrap().clone();
        sections.into_iter().find(|section| section["type"] == "set").map(|set| set["options"].clone())
    };
    assert_eq!(sets(&[("mwan3", mwan3)]), Some(json!({})), "a name alone");
    assert_eq!(sets(&[("mwan3", mwan3), ("dhcp", dhcp)]), Some(json!({ "domain": ["example.com"] })));
    assert_eq!(
        sets(&[("mwan3", mwan3), ("dhcp", dhcp), ("firewall", firewall)]),
        Some(json!({ "domain": ["example.com"], "entry": ["192.0.2.0/24"] }))
    );
    for (program, expected) in [
        ("pbr", "cannot read "),
        ("script", "say mwan3, mwan4 or pbr"),
        ("../passwd", "'../passwd' is nothing to import from"),
        ("", "say mwan3, mwan4 or pbr"),
    ] {
        let (code, answer) =
            Etc::new("none", &[]).call_with("import", json!({"program": program}).to_string().as_bytes());
        assert!(code == 1 && answer["error"].as_str().unwrap().contains(expected), "{answer}");
    }
}

#[test]
fn programs_are_told_whose_configuration_says_something() {
    let files: [(&str, &[u8]); 4] = [
        ("mwan3", b"\n # nothing\n\t\n"),
        ("mwan4", b""),
        ("pbr", b"# by hand\nconfig pbr 'config'\n"),
        ("wansplit", b"config globals 'globals'\n"),
    ];
    let etc = Etc::new("others", &files);
    let answer = etc.call("others", &json!({}));
    let expected = json!([{ "program": "pbr", "file": etc.file("pbr"), "enabled": false, "running": false }]);
    assert_eq!(answer["others"], expected);
    assert_eq!(Etc::new("no-others", &[]).call("others", &json!({}))["others"], json!([]));
}

/// Also where there is no configuration yet.
#[test]
fn connections_need_no_configuration_but_a_readable_one() {
    lab::isolated(|| {
        let etc = Etc::new("unconfigured", &[]);
        let answer = etc.call("connections", &json!({}));
        assert_eq!((&answer["links"], &answer["rules"]), (&json!([]), &json!([])));
        let etc = Etc::new("broken", &[("wansplit", b"config rule 'x")]);
        let (code, answer) = etc.call_with("connections", b"{}");
        assert!(code == 1 && answer["error"].as_str().unwrap().contains("wansplit check"), "{answer}");
    });
}

/// By the resolver of the machine, which reads its own list first.
#[test]
fn a_name_has_the_addresses_that_the_resolver_knows() {
    lab::isolated(|| {
        let etc = Etc::new("resolve", &[("hosts", b"192.0.2.50 films.example\n2001:db8::50 films.example\n")]);
        let hosts = etc.file("hosts");
        mount(Some(hosts.as_str()), "/etc/hosts", None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        for name in ["films.example", "FILMS.example"] {
            let answer = etc.call("resolve", &json!({ "name": name }));
            let mut addresses: Vec<&str> =
                answer["addresses"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            addresses.sort_unstable();
            assert_eq!(addresses, ["192.0.2.50", "2001:db8::50"]);
        }
        for (name, expected) in [
            ("other.example", "no address of 'other.example' is known"),
            ("films.example/x", "is not a name of a host"),
            ("-a\n", "is not a name of a host"),
            ("", "say which name"),
        ] {
            let (code, answer) = etc.call_with("resolve", json!({ "name": name }).to_string().as_bytes());
            assert!(code == 1 && answer["error"].as_str().unwrap().contains(expected), "{name}: {answer}");
        }
    });
}
