//===- ArchiveEdit.cpp - Join packs and cut them --------------------------===//

#include "packager/ArchiveEdit.h"

#include "packager/Suggest.h"

#include <algorithm>
#include <map>

namespace nereid::pack {

static bool contains(const std::vector<std::string> &list,
                     const std::string &word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

//===-- Merge -------------------------------------------------------------===//

namespace {

bool sameBytes(const Bytes &a, const Bytes &b) {
  return a == b || (a && b && *a == *b);
}

bool sameParams(const std::vector<Param> &a, const std::vector<Param> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Param &p, const Param &q) {
                      return p.name == q.name && p.type == q.type &&
                             p.hasConstant == q.hasConstant &&
                             p.constant == q.constant;
                    });
}

bool sameGrid(const std::vector<GridAxis> &a, const std::vector<GridAxis> &b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const GridAxis &p, const GridAxis &q) { return p.steps == q.steps; });
}

bool sameChoices(const Config &a, const Config &b) {
  return a.constants == b.constants && a.numWarps == b.numWarps &&
         a.numStages == b.numStages && a.numCtas == b.numCtas &&
         sameGrid(a.grid, b.grid);
}

// Do they ask the same of the arguments? A tensor map asks something too.
bool sameDemands(const Variant &a, const Variant &b) {
  return std::equal(a.predicates.begin(), a.predicates.end(),
                    b.predicates.begin(), b.predicates.end(),
                    [](const Predicate &p, const Predicate &q) {
                      return p.slot == q.slot && p.kind == q.kind &&
                             p.value == q.value;
                    }) &&
         std::equal(a.tensorMaps.begin(), a.tensorMaps.end(),
                    b.tensorMaps.begin(), b.tensorMaps.end(),
                    [](const TensorMap &p, const TensorMap &q) {
                      return p.slot == q.slot &&
                             p.elementType == q.elementType &&
                             sameGrid(p.shape, q.shape) &&
                             sameGrid(p.strides, q.strides);
                    });
}

bool sameTuning(const TuningTable &a, const TuningTable &b) {
  return sameGrid(a.keys, b.keys) &&
         std::equal(a.rows.begin(), a.rows.end(), b.rows.begin(), b.rows.end(),
                    [](const TuningRow &p, const TuningRow &q) {
                      return p.upper == q.upper && p.config == q.config;
                    });
}

// Distinct pairs, sorted, so that the order of the packs does not matter.
void mergePairs(std::vector<KeyValue> &into,
                const std::vector<KeyValue> &from) {
  auto less = [](const KeyValue &a, const KeyValue &b) {
    return a.key != b.key ? a.key < b.key : a.value < b.value;
  };
  auto equal = [](const KeyValue &a, const KeyValue &b) {
    return a.key == b.key && a.value == b.value;
  };
  into.insert(into.end(), from.begin(), from.end());
  std::sort(into.begin(), into.end(), less);
  into.erase(std::unique(into.begin(), into.end(), equal), into.end());
}

Status mergeKernel(Kernel &into, Kernel from, const std::string &intoLabel,
                   const std::string &fromLabel) {
  auto conflict = [&](const std::string &what) {
    return Status::error("kernel '", into.name, "' is in ", intoLabel, " and ",
                         fromLabel, " with different ", what);
  };
  if (!sameParams(into.params, from.params))
    return conflict("parameters; rename one of them");
  if (into.sourceXxh3 != from.sourceXxh3)
    return conflict("source; rename one of them, or build both from the same "
                    "file");
  // Where each of `from`'s configs ends up.
  std::vector<uint32_t> place;
  for (Config &config : from.configs) {
    auto it = std::find_if(
        into.configs.begin(), into.configs.end(),
        [&](const Config &known) { return sameChoices(known, config); });
    if (it == into.configs.end()) {
      it = into.configs.insert(into.configs.end(), config);
    } else if (!it->ir) {
      it->ir = config.ir;
    } else if (config.ir && !sameBytes(it->ir, config.ir)) {
      return conflict("IR, made by different compilers; build them with one");
    }
    place.push_back(static_cast<uint32_t>(it - into.configs.begin()));
  }
  for (Variant &variant : from.variants) {
    variant.config = place[variant.config];
    auto it = std::find_if(
        into.variants.begin(), into.variants.end(), [&](const Variant &known) {
          return known.target == variant.target &&
                 known.config == variant.config && sameDemands(known, variant);
        });
    if (it == into.variants.end())
      into.variants.push_back(std::move(variant));
    else if (!sameBytes(it->image, variant.image))
      return conflict("code for " + variant.target +
                      "; strip that target from one of them");
  }
  for (TuningTable &table : from.tuning) {
    for (TuningRow &row : table.rows)
      row.config = place[row.config];
    auto it = std::find_if(
        into.tuning.begin(), into.tuning.end(), [&](const TuningTable &known) {
          return known.target == table.target && known.device == table.device;
        });
    if (it == into.tuning.end())
      into.tuning.push_back(std::move(table));
    else if (!sameTuning(*it, table))
      return conflict("tuning tables for " + table.target +
                      (table.device.empty() ? "" : " on " + table.device));
  }
  mergePairs(into.provenance, from.provenance);
  sortVariants(into);
  return {};
}

} // namespace

Result<Pack> mergePacks(std::vector<NamedPack> packs) {
  if (packs.empty())
    return Status::error("there is nothing to merge");
  Pack merged = std::move(packs[0].pack);
  std::map<std::string, std::pair<size_t, std::string>> places;
  for (size_t i = 0; i < merged.kernels.size(); ++i)
    places[merged.kernels[i].name] = {i, packs[0].label};
  for (size_t p = 1; p < packs.size(); ++p) {
    Pack &pack = packs[p].pack;
    for (Kernel &kernel : pack.kernels) {
      auto [it, isNew] = places.emplace(
          kernel.name, std::make_pair(merged.kernels.size(), packs[p].label));
      if (isNew) {
        merged.kernels.push_back(std::move(kernel));
        continue;
      }
      if (Status status =
              mergeKernel(merged.kernels[it->second.first], std::move(kernel),
                          it->second.second, packs[p].label);
          !status)
        return status;
    }
    mergePairs(merged.provenance, pack.provenance);
    if (merged.producer != pack.producer)
      merged.producer += "; " + pack.producer;
  }
  return merged;
}

//===-- Strip -------------------------------------------------------------===//

Status stripPack(Pack &pack, const StripOptions &options,
                 std::vector<std::string> &gone) {
  std::vector<std::string> targets = pack.targets();
  for (const auto *list : {&options.keepTargets, &options.dropTargets})
    for (const std::string &target : *list)
      if (!contains(targets, target))
        return Status::error("the pack has no target '", target, "'",
                             suggestion(target, targets, "it has"));
  if (!options.kernels.empty()) {
    std::vector<std::string> names;
    for (const Kernel &kernel : pack.kernels)
      names.push_back(kernel.name);
    for (const std::string &name : options.kernels)
      if (!contains(names, name))
        return Status::error("the pack has no kernel '", name, "'",
                             suggestion(name, names, "it has"));
  }
  std::vector<Kernel> kept;
  for (Kernel &kernel : pack.kernels) {
    if (!options.kernels.empty() && !contains(options.kernels, kernel.name))
      continue;
    auto removed = [&](const std::string &target) {
      return (!options.keepTargets.empty() &&
              !contains(options.keepTargets, target)) ||
             contains(options.dropTargets, target);
    };
    auto &variants = kernel.variants;
    variants.erase(std::remove_if(variants.begin(), variants.end(),
                                  [&](const Variant &variant) {
                                    return removed(variant.target);
                                  }),
                   variants.end());
    if (variants.empty()) {
      gone.push_back(kernel.name);
      continue;
    }
    auto &tables = kernel.tuning;
    tables.erase(std::remove_if(tables.begin(), tables.end(),
                                [&](const TuningTable &table) {
                                  return removed(table.target);
                                }),
                 tables.end());

    // Configs that no variant uses any more go too.
    std::vector<Config> configs;
    std::vector<uint32_t> place(kernel.configs.size());
    for (size_t i = 0; i < kernel.configs.size(); ++i) {
      place[i] = static_cast<uint32_t>(configs.size());
      if (std::any_of(
              variants.begin(), variants.end(),
              [&](const Variant &variant) { return variant.config == i; }))
        configs.push_back(std::move(kernel.configs[i]));
    }
    kernel.configs = std::move(configs);
    for (Variant &variant : variants)
      variant.config = place[variant.config];
    for (TuningTable &table : tables)
      for (TuningRow &row : table.rows)
        row.config = place[row.config];
    if (options.dropIR)
      for (Config &config : kernel.configs)
        config.ir = nullptr;
    kept.push_back(std::move(kernel));
  }
  pack.kernels = std::move(kept);
  if (pack.kernels.empty())
    return Status::error("nothing would be left in the pack");
  return {};
}

} // namespace nereid::pack
