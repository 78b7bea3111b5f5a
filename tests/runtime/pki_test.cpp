#include "runtime/tls/context.hpp"
#include "runtime/tls/pki.hpp"
#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <memory>

using namespace qnfv;

namespace {

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t mode(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

struct certificate {
  explicit certificate(const std::string& file) {
    auto text = content(file);
    std::unique_ptr<BIO, decltype(&BIO_free_all)> in{
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all};
    x.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  }
  std::unique_ptr<X509, decltype(&X509_free)> x{nullptr, X509_free};
};

std::vector<std::string> uris_of(const certificate& x) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(x.x.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI)
      out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)));
  }
  GENERAL_NAMES_free(names);
  return out;
}

} // namespace

TEST_CASE("an authority issues certificates that carry the name of their site") {
  test::temporary_folder folder;
  auto pki = folder / "pki";
  REQUIRE(pki_init(pki));
  REQUIRE(pki_issue(pki, "dc1"));
  CHECK(mode(pki) == 0700);
  CHECK(mode(pki + "/ca.key") == 0400);
  CHECK(mode(pki + "/dc1.key") == 0400);
  auto name = certificate_name(pki + "/dc1.pem");
  REQUIRE(name);
  CHECK(*name == "dc1");

  certificate site{pki + "/dc1.pem"};
  REQUIRE(site.x);
  CHECK((X509_get_extended_key_usage(site.x.get()) & (XKU_SSL_SERVER | XKU_SSL_CLIENT))
        == (XKU_SSL_SERVER | XKU_SSL_CLIENT));
  CHECK(X509_check_ca(site.x.get()) == 0);
  int days = 0, seconds = 0;
  REQUIRE(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(site.x.get())) == 1);
  CHECK(days >= 396);
  CHECK(days <= 397);
  char common_name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(site.x.get()), NID_commonName, common_name,
                            sizeof common_name);
  CHECK(std::string(common_name) == "dc1");
}

TEST_CASE("a site's certificate also names where HTTPS clients reach it") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  pki_options options;
  options.hosts = {"10.0.0.2", "::1", "dc1.example.org"};
  REQUIRE(pki_issue(folder.path(), "dc1", options));
  certificate site{folder / "dc1.pem"};
  REQUIRE(site.x);
  for (auto* host : {"dc1", "dc1.example.org"})
    CHECK(X509_check_host(site.x.get(), host, 0, 0, nullptr) == 1);
  for (auto* address : {"10.0.0.2", "::1"})
    CHECK(X509_check_ip_asc(site.x.get(), address, 0) == 1);
  CHECK(*certificate_name(folder / "dc1.pem") == "dc1");
  for (auto* bad : {"", "a b", "x,URI:qnfv:site:co", "10.0.0.2:7301", "dirName:x"}) {
    options.hosts = {bad};
    CAPTURE(bad);
    auto issued = pki_issue(folder.path(), "dc2", options);
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code == ec::invalid_argument);
  }
}

TEST_CASE("an application's certificate names it and no site, and is for clients only") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  REQUIRE(pki_issue_application(folder.path(), "nfv-co", "nfv-co"));
  auto site = certificate_name(folder / "nfv-co.pem");
  REQUIRE_FALSE(site);
  CHECK(site.error().text.find("names no site") != std::string::npos);
  certificate x{folder / "nfv-co.pem"};
  REQUIRE(x.x);
  CHECK((X509_get_extended_key_usage(x.x.get()) & (XKU_SSL_SERVER | XKU_SSL_CLIENT))
        == XKU_SSL_CLIENT);
  CHECK(X509_check_host(x.x.get(), "nfv-co", 0, 0, nullptr) == 1);
  CHECK(mode(folder / "nfv-co.key") == 0400);
  CHECK(uris_of(x) == std::vector<std::string>{"qnfv:application:nfv-co"});

  REQUIRE(pki_issue_application(folder.path(), "billing", "urn:sae:7"));
  certificate y{folder / "billing.pem"};
  CHECK(uris_of(y) == std::vector<std::string>{"urn:sae:7"});
  CHECK(X509_check_host(y.x.get(), "billing", 0, 0, nullptr) == 1);

  auto again = pki_issue_application(folder.path(), "nfv-co", "nfv-co");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ec::already_exists);
}

TEST_CASE("an application that claims to be something else gets no certificate") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  for (auto* name : {"", "ca", "operator", "../x", "a b"}) {
    CAPTURE(name);
    auto issued = pki_issue_application(folder.path(), name, "x");
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code == ec::invalid_argument);
  }
  for (auto* identity : {"", "qnfv:site:co", "x,URI:qnfv:site:co", "urn:a b", "a/b", "urn:\n"}) {
    CAPTURE(identity);
    auto issued = pki_issue_application(folder.path(), "x", identity);
    REQUIRE_FALSE(issued);
    CHECK(issued.error().code == ec::invalid_argument);
  }
  CHECK_FALSE(pki_issue_application(folder.path(), "x", "urn:" + std::string(252, 'a')));
  auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  CHECK(files == 2);
}

TEST_CASE("an existing authority is never overwritten") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  auto before = content(folder / "ca.key");
  auto again = pki_init(folder.path());
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ec::already_exists);
  CHECK(content(folder / "ca.key") == before);
}

TEST_CASE("an existing name is replaced only by renewing, with another serial number") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  REQUIRE(pki_issue(folder.path(), "operator"));
  certificate first{folder / "operator.pem"};
  auto again = pki_issue(folder.path(), "operator");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ec::already_exists);
  pki_options renew;
  renew.renew = true;
  REQUIRE(pki_issue(folder.path(), "operator", renew));
  certificate second{folder / "operator.pem"};
  REQUIRE((first.x && second.x));
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(first.x.get()),
                         X509_get0_serialNumber(second.x.get()))
        != 0);
  CHECK(mode(folder / "operator.key") == 0400);
  CHECK(make_tls_context({folder / "ca.pem", folder / "operator.pem", folder / "operator.key"}));
}

TEST_CASE("a bad name is refused and leaves no file") {
  test::temporary_folder folder;
  REQUIRE(pki_init(folder.path()));
  auto name =
      GENERATE(as<std::string>{}, "", "ca", "../dc1", "dc 1", ".dc1", "a-name-of-21-letters!",
               "a-name-of-21-letters-", "dc1,URI:qnfv:site:co", std::string("dc1\0co", 6));
  CAPTURE(name);
  auto issued = pki_issue(folder.path(), name);
  REQUIRE_FALSE(issued);
  CHECK(issued.error().code == ec::invalid_argument);
  auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  CHECK(files == 2);
}

TEST_CASE("issuing without an authority, or with a damaged one, says what to do") {
  test::temporary_folder folder;
  auto none = pki_issue(folder.path(), "dc1");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ec::bad_config);
  CHECK(none.error().text.find("qnfv pki init") != std::string::npos);
  test::temporary_folder other;
  REQUIRE(pki_init(folder.path()));
  REQUIRE(pki_init(other.path()));
  std::filesystem::remove(folder / "ca.key");
  std::filesystem::copy(other / "ca.key", folder / "ca.key");
  auto foreign = pki_issue(folder.path(), "dc1");
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == ec::bad_config);
  CHECK(foreign.error().text.find(folder / "ca.key") != std::string::npos);
}
