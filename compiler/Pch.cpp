// The object that carries the precompiled header; see Pch.h.
