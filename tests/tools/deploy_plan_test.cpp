#include "tools/qnfv/deploy_plan.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

const std::string digest_a(64, 'a');
const std::string digest_b(64, 'b');

site_wanted wanted() {
  site_wanted x;
  x.site = site_id{"dc1"};
  x.processor = "x86_64";
  x.version = "aaaaaaaaaaaaaaaa";
  x.files = {{"versions/aaaaaaaaaaaaaaaa/qnfv", "755", digest_a, 40u << 20, "/bin/qnfv"},
             {"secrets/dc1.seal", "400", digest_b, 32, "/lab/secrets/dc1.seal"}};
  return x;
}

/// A host on which everything is as wanted.
host_report same_as(const site_wanted& x) {
  host_report out;
  out.processor = x.processor;
  out.manager = "process";
  out.folder = "/var/lib/qnfv/lab";
  out.free_kb = 1u << 20;
  out.version = x.version;
  out.started = x.fingerprint();
  out.running = true;
  for (auto& file : x.files)
    out.files[file.path] = {file.mode, file.digest};
  return out;
}

std::string refusal(const site_wanted& x, const host_report& host) {
  auto plan = plan_site(x, host);
  return plan ? "" : plan.error().text;
}

} // namespace

TEST_CASE("a site that may suffer faults is started again when it may not any more") {
  auto x = wanted();
  x.allow_faults = true;
  CHECK(plan_site(x, same_as(x))->nothing());
  auto host = same_as(x);
  CHECK(host.started == wanted().fingerprint() + "+faults");
  x.allow_faults = false;
  CHECK(plan_site(x, host)->start);
}

TEST_CASE("a host that has all of it is left alone") {
  auto plan = plan_site(wanted(), same_as(wanted()));
  REQUIRE(plan);
  CHECK(plan->nothing());
  CHECK(plan->bytes() == 0);
}

TEST_CASE("a bare host gets every file and its site is started") {
  auto host = same_as(wanted());
  host.files.clear();
  host.version = host.started = "";
  host.running = false;
  auto plan = plan_site(wanted(), host);
  REQUIRE(plan);
  CHECK(plan->send.size() == 2);
  CHECK(plan->bytes() == (40u << 20) + 32);
  CHECK(plan->change_version);
  CHECK(plan->start);
}

TEST_CASE("only what differs is sent") {
  auto host = same_as(wanted());
  host.files.erase("secrets/dc1.seal");
  auto plan = plan_site(wanted(), host);
  REQUIRE(plan);
  REQUIRE(plan->send.size() == 1);
  CHECK(plan->send[0].path == "secrets/dc1.seal");
  CHECK_FALSE(plan->change_version);
  CHECK_FALSE(plan->start);
}

TEST_CASE("a secret that others can read is sent again, so that they cannot") {
  auto host = same_as(wanted());
  host.files["secrets/dc1.seal"].mode = "644";
  auto plan = plan_site(wanted(), host);
  REQUIRE(plan);
  REQUIRE(plan->send.size() == 1);
  CHECK(plan->send[0].mode == "400");
}

TEST_CASE("a site that runs something else, or nothing, is started again") {
  auto host = same_as(wanted());
  host.started = digest_a;
  CHECK(plan_site(wanted(), host)->start);
  host = same_as(wanted());
  host.running = false;
  CHECK(plan_site(wanted(), host)->start);
}

TEST_CASE("any changed file changes the fingerprint") {
  auto x = wanted();
  auto before = x.fingerprint();
  CHECK(wanted().fingerprint() == before);
  x.files[1].digest = digest_a;
  CHECK(x.fingerprint() != before);
}

TEST_CASE("a seal key that holds a host's keys is never replaced") {
  auto host = same_as(wanted());
  host.files["secrets/dc1.seal"].digest = digest_a;
  CHECK(refusal(wanted(), host).find("another seal key is there (/var/lib/qnfv/lab/sites/dc1/secrets/dc1.seal)")
        == 0);
}

TEST_CASE("what a host cannot do is said before anything is sent") {
  auto host = same_as(wanted());
  host.processor = "aarch64";
  CHECK(refusal(wanted(), host) == "its processor is aarch64, this qnfv is for x86_64: give one for it with --binary");
  host = same_as(wanted());
  host.refused = "lab may not write in /var/lib";
  CHECK(refusal(wanted(), host)
        == "lab may not write in /var/lib: choose another \"folder\" or user in the topology");
  host = same_as(wanted());
  host.files.clear();
  host.free_kb = 50 << 10;
  CHECK(refusal(wanted(), host).find("too little space in /var/lib/qnfv/lab: ") == 0);
  // Nothing to send needs no space; a program for any processor fits any.
  host = same_as(wanted());
  host.free_kb = 0;
  CHECK(refusal(wanted(), host) == "");
  auto script = wanted();
  script.processor = "";
  host = same_as(script);
  host.processor = "aarch64";
  CHECK(refusal(script, host) == "");
}

TEST_CASE("a host's report reads line by line") {
  auto x = parse_host_report("processor x86_64\nmanager user\nfolder /home/lab/x\nfree_kb 2048\n"
                             "version 0123456789abcdef\nstarted f00\nrunning yes\n"
                             "file 400 " + digest_a + " secrets/bob1-alice1.secret\n");
  REQUIRE(x);
  CHECK(x->processor == "x86_64");
  CHECK(x->manager == "user");
  CHECK(x->folder == "/home/lab/x");
  CHECK(x->free_kb == 2048);
  CHECK(x->version == "0123456789abcdef");
  CHECK(x->started == "f00");
  CHECK(x->running);
  REQUIRE(x->files.size() == 1);
  CHECK(x->files.begin()->first == "secrets/bob1-alice1.secret");
  CHECK(x->files.begin()->second.mode == "400");
  auto idle = parse_host_report("processor x86_64\nmanager process\nfolder /x\nrefused bob may not write in /\n");
  REQUIRE(idle);
  CHECK_FALSE(idle->running);
  CHECK(idle->refused == "bob may not write in /");
}

TEST_CASE("what is no report of a host is refused") {
  const std::string good = "processor x86_64\nmanager process\nfolder /x\n";
  CHECK(parse_host_report(good));
  for (auto& bad : {std::string{}, std::string{"Welcome to lab7!\n"} + good, good + "file 400 abc secrets/x\n",
                    good + "file 400 " + digest_a + "\n", std::string{"processor x86_64\nmanager upstart\nfolder /x\n"},
                    std::string{"manager process\nfolder /x\n"}, good + std::string(3, '\0') + "\n"}) {
    INFO(bad);
    auto x = parse_host_report(bad);
    REQUIRE_FALSE(x);
    CHECK(x.error().text.find("does its shell print something at login?") != std::string::npos);
  }
}

TEST_CASE("the processor of a program is read from its head") {
  std::string head("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\076\0", 20);
  CHECK(processor_of_elf(head) == "x86_64");
  head[18] = static_cast<char>(183);
  CHECK(processor_of_elf(head) == "aarch64");
  head[18] = 1;
  CHECK(processor_of_elf(head) == "");
  CHECK(processor_of_elf(head.substr(0, 19)) == "");
  CHECK(processor_of_elf("#!/bin/sh\nexec /opt/qnfv\n") == "");
}

TEST_CASE("what ssh says becomes a reason and what to do") {
  auto says = [](const std::string& ssh) { return ssh_failure("lab@dc1", ssh); };
  CHECK(says("ssh: connect to host dc1 port 22: Connection refused\r\n")
        == "it refuses ssh: does sshd run there, at that port?");
  CHECK(says("@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nHost key verification failed.\r\n")
        == "its host key is not the known one: somebody else may answer; if the host was set up anew: "
           "ssh-keygen -R dc1");
  CHECK(says("No ED25519 host key is known for dc1 and you have requested strict checking.\r\n"
             "Host key verification failed.\r\n")
          .find("its host key is not known: compare")
        == 0);
  CHECK(says("lab@dc1: Permission denied (publickey).\r\n")
        == "it does not accept our key or user: lab@dc1: Permission denied (publickey).");
  CHECK(says("ssh: connect to host dc1 port 22: Connection timed out\r\n").find("it cannot be reached: ") == 0);
  CHECK(says("ssh: Could not resolve hostname dc1: Name or service not known\r\n").find("no host is called so") == 0);
  CHECK(says("first\nsomething new\r\n\r\n") == "something new");
  CHECK(says("") == "ssh failed without a word");
}

TEST_CASE("a quoted word is one word to a shell, whatever is in it") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("/var/lib/qnfv") == "'/var/lib/qnfv'");
  CHECK(shell_quoted("a b; rm -rf $HOME `x`\n\"") == "'a b; rm -rf $HOME `x`\n\"'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
}
