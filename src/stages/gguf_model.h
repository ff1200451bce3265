#pragma once

#include "io/tensor_view.h"
#include "stages/gguf_vocabulary.h"

#include <filesystem>

namespace hone {

/// A model of the Hugging Face layout, to be written as one GGUF file.
struct GgufModel {
  std::string name;                     ///< for people
  Json config;                          ///< config.json
  std::span<const TensorView> tensors;  ///< under their Hugging Face names
  GgufVocabulary vocabulary;            ///< as many tokens as the config's vocab_size
};

/// Writes the file that llama.cpp reads, atomically. Families: llama, mistral, mixtral, qwen2, qwen3, qwen3_moe,
/// phi3, gemma, gemma2, gemma3_text, gpt2; rotary scalings as in gguf_rope.h.
///
/// Where llama.cpp knows no sliding window (all but gemma2 and gemma3_text), the context length is at most the
/// window: up to there both compute the same. Whatever else a config.json says that the file cannot express is
/// Error{data} naming the key.
void write_gguf_model(const std::filesystem::path& path, const GgufModel& model, GgufType type);

/// The same from a directory with config.json, safetensors, tokenizer.json and, if they are there,
/// tokenizer_config.json and chat_template.jinja. The directory's name is the model's.
void export_gguf(const std::filesystem::path& directory, const std::filesystem::path& path, GgufType type);

}  // namespace hone
