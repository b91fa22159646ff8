//===- Tuning.h - Tuning tables as text -------------------------*- C++ -*-===//
//
// Which config is best for which shapes on which device, found by `nereid tune`
// and kept in a file that can be reviewed and put into any pack of the same
// kernel, without compiling anything:
//
//   [[tuning]]
//   kernel = "matmul"
//   target = "sm_90a"
//   device = "NVIDIA H100 80GB HBM3"     # left out: every device of the target
//   keys = ["M", "N"]                    # grid expressions
//   rows = [
//     { upper = [512, 1024], config = { BLOCK_M = "64", num_warps = 4 } },
//     { upper = ["any", "any"], config = { BLOCK_M = "128", num_warps = 8 } },
//   ]
//
// The first row whose bounds all hold chooses the config.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TUNING_H
#define NEREID_PACKAGER_TUNING_H

#include "packager/Archive.h"
#include "packager/Manifest.h"

namespace nereid::pack {

/// A bound that every value is below.
constexpr int64_t kAnyBound = INT64_MAX;

struct TuningEntry {
  struct Row {
    std::vector<int64_t> upper;
    /// Constants and num_warps, num_stages, num_ctas; those left out may have
    /// any value.
    std::vector<Constant> config;
    Location where;
  };
  std::string kernel, target, device;
  std::vector<std::string> keys;
  std::vector<Row> rows;
  Location where, kernelWhere, targetWhere;
  std::vector<Location> keyWhere;
};

/// Reads a file of tuning tables; false with every mistake found.
bool parseTuning(std::string_view text, const std::string &file,
                 std::vector<TuningEntry> &out,
                 std::vector<Diagnostic> &errors);

/// Puts the tables into `pack`, each in place of one for the same kernel,
/// target and device. Tables of kernels and targets that the pack does not
/// have are mistakes, as are configs that fit none or several.
bool applyTuning(Pack &pack, const std::vector<TuningEntry> &entries,
                 std::vector<Diagnostic> &errors);

/// The text of one table of `kernel`.
std::string tuningText(const Kernel &kernel, const TuningTable &table);

/// Puts `table` into `kernel`, in place of one for the same target and device.
void setTuning(Kernel &kernel, TuningTable table);

/// "BLOCK_M=128 num_warps=8 num_stages=3".
std::string configText(const Config &config);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_TUNING_H
