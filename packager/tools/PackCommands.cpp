//===- PackCommands.cpp - verify, sign, merge, strip, split ---------------===//

#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"
#include "packager/tools/Json.h"

#include "packager/ArchiveEdit.h"
#include "packager/Elf.h"
#include "packager/File.h"
#include "packager/HeaderGen.h"
#include "packager/Signing.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <filesystem>

namespace nereid::tool {

using pack::concat;

static bool isCpuTarget(const std::string &target) {
  return target.rfind("x86-64", 0) == 0 || target.rfind("aarch64", 0) == 0;
}

//===-- verify ------------------------------------------------------------===//

// Everything that can be wrong with one pack; "" when nothing is.
static std::string problemWith(const std::string &path,
                               const VerifyCommand &command, pack::Pack &out,
                               pack::FileFacts &facts) {
  pack::Result<std::string> bytes = pack::readFile(path);
  if (!bytes)
    return bytes.message();
  pack::Result<pack::Pack> read = pack::readPack(*bytes, &facts);
  if (!read)
    return path + ": " + read.message();
  out = std::move(*read);
  for (const pack::Kernel &kernel : out.kernels)
    for (size_t v = 0; v < kernel.variants.size(); ++v) {
      const pack::Variant &variant = kernel.variants[v];
      if (!isCpuTarget(variant.target))
        continue;
      if (pack::Status status = pack::checkCpuImage(
              *variant.image, variant.target, variant.symbol);
          !status)
        return concat(path, ": kernel '", kernel.name, "', variant ", v, " (",
                      variant.target, "): ", status.message());
    }
  if (!command.key.empty()) {
    pack::Result<pack::PublicKey> key = pack::readPublicKey(command.key);
    if (!key)
      return key.message();
    if (pack::Status status = pack::verifySignature(*bytes, *key); !status)
      return path + ": " + status.message();
  }
  return "";
}

int runVerify(const VerifyCommand &command) {
  int result = kSuccess;
  Json json;
  json.array([&] {
    for (const std::string &path : command.packs) {
      pack::Pack read;
      pack::FileFacts facts;
      std::string problem = problemWith(path, command, read, facts);
      std::string signer =
          facts.signatures.empty()
              ? ""
              : pack::hexText(facts.signatures[0].publicKey.data(), 32);
      json.object([&] {
        json.member("pack", path);
        json.member("good", problem.empty());
        json.member("problem", problem);
        json.member("signed_by", signer);
        json.member("signature_checked",
                    !command.key.empty() && problem.empty());
      });
      if (!problem.empty()) {
        result = kFailure;
        if (!command.json)
          fail(problem);
        continue;
      }
      if (!command.json)
        print(packSummary(read, path, facts.fileSize) + ": " +
              styled(Style::Green, "good") +
              (signer.empty() ? ", not signed"
               : command.key.empty()
                   ? ", signed by " + signer +
                         " (not checked: give the key with --key)"
                   : ", signature good") +
              "\n");
    }
  });
  if (command.json)
    print(json.take());
  return result;
}

//===-- sign --------------------------------------------------------------===//

int runSign(const SignCommand &command) {
  if (!command.newKey.empty()) {
    if (!command.pack.empty() || !command.key.empty())
      return usage("--new-key makes a key and signs nothing; sign with it "
                   "afterwards");
    if (pack::Status status = pack::writeNewKeys(command.newKey); !status)
      return fail(status.message());
    print("wrote " + command.newKey + " (secret, keep it) and " +
          command.newKey + ".pub (give it away)\n");
    return kSuccess;
  }
  if (command.pack.empty() || command.key.empty())
    return usage("sign takes a pack and --key FILE; make a key with 'nereid "
                 "sign --new-key FILE'");
  pack::Result<pack::SecretSeed> key = pack::readSecretKey(command.key);
  if (!key)
    return fail(key.message());
  pack::Result<std::string> bytes = pack::readFile(command.pack);
  if (!bytes)
    return fail(bytes.message());
  // What is signed must be good.
  pack::Result<pack::Pack> read = pack::readPack(*bytes);
  if (!read)
    return fail(command.pack + ": " + read.message());
  pack::Result<std::string> done = pack::signPack(*bytes, *key);
  if (!done)
    return fail(command.pack + ": " + done.message());
  std::string output = command.output.empty() ? command.pack : command.output;
  if (pack::Status status = pack::writeFile(output, *done); !status)
    return fail(status.message());
  return kSuccess;
}

//===-- header ------------------------------------------------------------===//

int runHeader(const HeaderCommand &command) {
  pack::Result<std::string> bytes = pack::readFile(command.pack);
  if (!bytes)
    return fail(bytes.message());
  pack::Result<pack::Pack> read = pack::readPack(*bytes);
  if (!read)
    return fail(command.pack + ": " + read.message());
  pack::HeaderOptions options;
  options.prefix = command.prefix;
  options.packFile = std::filesystem::path(command.pack).filename().string();
  options.embed = command.embed;
  std::string output = command.output;
  if (output.empty())
    output = read->name + ".h";
  options.headerName = std::filesystem::path(output).filename().string();
  pack::Result<std::string> header = pack::generateHeader(*read, options);
  if (!header)
    return fail(command.pack + ": " + header.message());
  if (output == "-") {
    print(*header);
    return kSuccess;
  }
  if (pack::Status status = pack::writeFile(output, *header); !status)
    return fail(status.message());
  if (!command.embed)
    return kSuccess;
  std::string source =
      std::filesystem::path(output).replace_extension(".c").string();
  if (pack::Status status = pack::writeFile(
          source, pack::generateEmbedding(*read, *bytes, options));
      !status)
    return fail(status.message());
  return kSuccess;
}

//===-- merge -------------------------------------------------------------===//

int runMerge(const MergeCommand &command) {
  std::vector<pack::NamedPack> packs;
  bool wasSigned = false;
  for (const std::string &path : command.packs) {
    pack::Pack read;
    pack::FileFacts facts;
    if (!openPack(path, read, &facts))
      return kFailure;
    wasSigned |= !facts.signatures.empty();
    packs.push_back({path, std::move(read)});
  }
  pack::Result<pack::Pack> merged = pack::mergePacks(std::move(packs));
  if (!merged)
    return fail(merged.message());
  if (!command.name.empty())
    merged->name = command.name;
  if (!applyTuningFiles(command.tuning, *merged))
    return kFailure;
  if (!savePack(*merged, command.output))
    return kFailure;
  if (wasSigned)
    note("a signature covers one pack; '" + command.output + "' is not signed");
  return kSuccess;
}

//===-- strip, split ------------------------------------------------------===//

int runStrip(const StripCommand &command) {
  if (command.targets.empty() && command.drop.empty() &&
      command.kernels.empty() && !command.noIR)
    return usage("say what to keep or drop: --target, --drop, --kernel or "
                 "--no-ir");
  pack::Pack read;
  pack::FileFacts facts;
  if (!openPack(command.pack, read, &facts))
    return kFailure;
  pack::StripOptions options;
  options.keepTargets = command.targets;
  options.dropTargets = command.drop;
  options.kernels = command.kernels;
  options.dropIR = command.noIR;
  std::vector<std::string> gone;
  if (pack::Status status = pack::stripPack(read, options, gone); !status)
    return fail(command.pack + ": " + status.message());
  std::string output = command.output.empty() ? command.pack : command.output;
  if (!savePack(read, output))
    return kFailure;
  if (!gone.empty())
    note(
        "without any variant left, " +
        std::string(gone.size() == 1 ? "this kernel is" : "these kernels are") +
        " gone: " + pack::listText(gone));
  if (!facts.signatures.empty())
    note("a signature covers the whole pack; '" + output + "' is not signed");
  return kSuccess;
}

int runSplit(const SplitCommand &command) {
  if (command.by != "target" && command.by != "kernel")
    return usage("--by '" + command.by + "' is unknown" +
                 pack::suggestion(command.by, {"target", "kernel"}, "allowed"));
  pack::Pack read;
  if (!openPack(command.pack, read))
    return kFailure;
  std::vector<std::string> parts;
  if (command.by == "target")
    parts = read.targets();
  else
    for (const pack::Kernel &kernel : read.kernels)
      parts.push_back(kernel.name);
  namespace fs = std::filesystem;
  fs::path from(command.pack);
  fs::path folder =
      command.folder.empty() ? from.parent_path() : fs::path(command.folder);
  std::error_code error;
  if (!folder.empty())
    fs::create_directories(folder, error);
  if (error)
    return fail("cannot make the folder '" + folder.string() +
                "': " + error.message());
  for (const std::string &part : parts) {
    pack::Pack piece = read;
    pack::StripOptions options;
    (command.by == "target" ? options.keepTargets : options.kernels) = {part};
    std::vector<std::string> gone;
    if (pack::Status status = pack::stripPack(piece, options, gone); !status)
      return fail(command.pack + ": " + status.message());
    std::string output =
        (folder / (from.stem().string() + "-" + part + ".nrd")).string();
    if (!savePack(piece, output))
      return kFailure;
    print(output + "\n");
  }
  return kSuccess;
}

} // namespace nereid::tool
