/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of library errors, as lists: what OpenSSL and BoringSSL call the reasons that end handshakes.
 *
 * Own lists because who reads a recording has not the library that raised the error, and because
 * the numbers are the interface: SSL_R_* is stable from 1.1.1 to 4.0 but for those marked.
 * Must not know: causes (classify.c draws them from the same numbers).
 */
#ifndef TLSWHY_HANDSHAKE_REASONS_H
#define TLSWHY_HANDSHAKE_REASONS_H

/* X(reason, text): SSL_R_* of OpenSSL. 294 is "ocsp callback failure" in 1.1.1. */
#define SSL_REASONS(X)                                           \
	X(100, "app data in handshake")                          \
	X(101, "no suitable key share")                          \
	X(102, "bad dh value")                                   \
	X(103, "bad change cipher spec")                         \
	X(104, "inconsistent extms")                             \
	X(107, "bad decompression")                              \
	X(108, "bad key share")                                  \
	X(109, "cannot change cipher")                           \
	X(110, "bad extension")                                  \
	X(111, "bad digest length")                              \
	X(112, "missing sigalgs extension")                      \
	X(114, "bad psk identity")                               \
	X(116, "bad protocol version number")                    \
	X(118, "no suitable signature algorithm")                \
	X(119, "bad rsa encrypt")                                \
	X(122, "bad key update")                                 \
	X(123, "bad signature")                                  \
	X(127, "bad write retry")                                \
	X(128, "bio not set")                                    \
	X(129, "block cipher pad is wrong")                      \
	X(130, "bn lib")                                         \
	X(131, "ca dn length mismatch")                          \
	X(133, "ccs received early")                             \
	X(134, "certificate verify failed")                      \
	X(135, "cert length mismatch")                           \
	X(138, "cipher or hash unavailable")                     \
	X(140, "compressed length too long")                     \
	X(141, "compression failure")                            \
	X(142, "compression library error")                      \
	X(145, "data between ccs and finished")                  \
	X(146, "data length too long")                           \
	X(147, "decryption failed")                              \
	X(148, "dh public value length is wrong")                \
	X(149, "digest check failed")                            \
	X(150, "encrypted length too long")                      \
	X(151, "error in received cipher list")                  \
	X(152, "excessive message size")                         \
	X(153, "extra data in message")                          \
	X(154, "got a fin before a ccs")                         \
	X(155, "https proxy request")                            \
	X(156, "http request")                                   \
	X(157, "tls invalid ecpointformat list")                 \
	X(159, "length mismatch")                                \
	X(160, "length too short")                               \
	X(162, "illegal point compression")                      \
	X(164, "too much early data")                            \
	X(166, "version too high")                               \
	X(168, "missing rsa certificate")                        \
	X(169, "missing rsa encrypting cert")                    \
	X(171, "missing tmp dh key")                             \
	X(174, "invalid max early data")                         \
	X(176, "no certificates returned")                       \
	X(181, "no ciphers available")                           \
	X(182, "not on record boundary")                         \
	X(183, "no ciphers specified")                           \
	X(186, "bad cipher")                                     \
	X(187, "no compression specified")                       \
	X(191, "no protocols available")                         \
	X(193, "no shared cipher")                               \
	X(194, "exceeds max fragment size")                      \
	X(197, "old session cipher not returned")                \
	X(198, "packet length too long")                         \
	X(199, "peer did not return a certificate")              \
	X(205, "invalid alert")                                  \
	X(208, "sct verification failed")                        \
	X(209, "missing supported groups extension")             \
	X(210, "ssl session version mismatch")                   \
	X(211, "read bio not set")                               \
	X(213, "record length mismatch")                         \
	X(214, "no change following hrr")                        \
	X(215, "required cipher missing")                        \
	X(217, "unsolicited extension")                          \
	X(218, "ciphersuite digest has changed")                 \
	X(219, "bad psk")                                        \
	X(220, "signature for non signing certificate")          \
	X(221, "missing signing cert")                           \
	X(222, "inconsistent early data alpn")                   \
	X(223, "psk identity not found")                         \
	X(224, "psk no client cb")                               \
	X(225, "psk no server cb")                               \
	X(226, "clienthello tlsext")                             \
	X(231, "inconsistent early data sni")                    \
	X(232, "ssl3 ext invalid max fragment length")           \
	X(233, "bad early data")                                 \
	X(234, "callback failed")                                \
	X(235, "no application protocol")                        \
	X(236, "bad handshake state")                            \
	X(237, "overflow error")                                 \
	X(239, "unable to find public key parameters")           \
	X(240, "bad packet")                                     \
	X(241, "insufficient security")                          \
	X(244, "unexpected message")                             \
	X(245, "unexpected record")                              \
	X(246, "unknown alert type")                             \
	X(247, "unknown certificate type")                       \
	X(248, "unknown cipher returned")                        \
	X(249, "unknown cipher type")                            \
	X(250, "unknown key exchange type")                      \
	X(252, "unknown protocol")                               \
	X(253, "binder does not verify")                         \
	X(256, "missing fatal")                                  \
	X(257, "unsupported compression algorithm")              \
	X(258, "unsupported protocol")                           \
	X(259, "unsupported ssl version")                        \
	X(260, "invalid ccs message")                            \
	X(261, "wrong cipher returned")                          \
	X(262, "unexpected ccs message")                         \
	X(264, "wrong signature length")                         \
	X(265, "wrong signature size")                           \
	X(266, "wrong ssl version")                              \
	X(267, "wrong version number")                           \
	X(271, "bad length")                                     \
	X(272, "attempt to reuse session in different context")  \
	X(274, "library bug")                                    \
	X(277, "session id context uninitialized")               \
	X(278, "post handshake auth encoding err")               \
	X(281, "decryption failed or bad record mac")            \
	X(282, "invalid context")                                \
	X(287, "no cookie callback set")                         \
	X(291, "application data after close notify")            \
	X(292, "bad legacy version")                             \
	X(293, "mixed handshake and non handshake data")         \
	X(294, "unexpected eof while reading")                   \
	X(295, "no suitable groups")                             \
	X(296, "copy parameters failed")                         \
	X(297, "no suitable digest algorithm")                   \
	X(298, "record too small")                               \
	X(300, "ssl3 session id too long")                       \
	X(301, "ssl session id callback failed")                 \
	X(302, "ssl session id conflict")                        \
	X(303, "ssl session id has bad length")                  \
	X(304, "bad ecc cert")                                   \
	X(305, "ocsp callback failure")                          \
	X(306, "bad ecpoint")                                    \
	X(308, "cookie mismatch")                                \
	X(310, "missing psk kex modes extension")                \
	X(311, "missing tmp ecdh key")                           \
	X(312, "read timeout expired")                           \
	X(313, "record layer failure")                           \
	X(314, "unable to find ecdh parameters")                 \
	X(315, "unsupported elliptic curve")                     \
	X(317, "invalid record")                                 \
	X(321, "records not released")                           \
	X(322, "no suitable record layer")                       \
	X(324, "no required digest")                             \
	X(326, "bad compression algorithm")                      \
	X(327, "sequence ctr wrapped")                           \
	X(328, "invalid status response")                        \
	X(329, "unsupported status type")                        \
	X(330, "no gost certificate sent by peer")               \
	X(332, "bad handshake length")                           \
	X(333, "legacy sigalg disallowed or unsupported")        \
	X(336, "renegotiation encoding err")                     \
	X(337, "renegotiation mismatch")                         \
	X(338, "unsafe legacy renegotiation disabled")           \
	X(339, "no renegotiation")                               \
	X(340, "inconsistent compression")                       \
	X(341, "invalid compression algorithm")                  \
	X(342, "required compression algorithm missing")         \
	X(343, "compression disabled")                           \
	X(344, "old session compression algorithm not returned") \
	X(345, "scsv received when renegotiating")               \
	X(347, "bad srp a length")                               \
	X(348, "bad certificate")                                \
	X(349, "empty raw public key")                           \
	X(350, "invalid raw public key")                         \
	X(351, "wrong rpk type")                                 \
	X(352, "bad srtp mki value")                             \
	X(353, "bad srtp protection profile list")               \
	X(358, "missing srp param")                              \
	X(359, "no srtp profiles")                               \
	X(360, "signature algorithms error")                     \
	X(361, "srp a calc")                                     \
	X(368, "unknown digest")                                 \
	X(370, "wrong signature type")                           \
	X(371, "bad srp parameters")                             \
	X(373, "inappropriate fallback")                         \
	X(376, "no shared signature algorithms")                 \
	X(377, "cert cb error")                                  \
	X(378, "wrong curve")                                    \
	X(383, "wrong certificate type")                         \
	X(384, "bad value")                                      \
	X(390, "bad data")                                       \
	X(394, "dh key too small")                               \
	X(396, "version too low")                                \
	X(397, "ca key too small")                               \
	X(398, "ca md too weak")                                 \
	X(399, "ee key too small")                               \
	X(400, "cookie gen callback failure")                    \
	X(404, "length too long")                                \
	X(406, "pipeline failure")                               \
	X(409, "too many warn alerts")                           \
	X(420, "missing supported versions extension")           \
	X(424, "ech required")                                   \
	X(443, "bad record type")                                \
	X(999, "invalid session id")

/* X(reason, text): BoringSSL and AWS-LC, whose numbers are their own. */
#define BORINGSSL_REASONS(X)                           \
	X(114, "bad signature")                        \
	X(125, "certificate verify failed")            \
	X(126, "cert cb error")                        \
	X(137, "decode error")                         \
	X(139, "decryption failed or bad record mac")  \
	X(142, "digest check failed")                  \
	X(154, "handshake failure on client hello")    \
	X(155, "https proxy request")                  \
	X(156, "http request")                         \
	X(157, "inappropriate fallback")               \
	X(174, "no certificate set")                   \
	X(184, "no shared cipher")                     \
	X(192, "peer did not return a certificate")    \
	X(202, "renegotiation mismatch")               \
	X(223, "unexpected message")                   \
	X(225, "unexpected record")                    \
	X(236, "unsafe legacy renegotiation disabled") \
	X(240, "unsupported protocol")                 \
	X(247, "wrong version number")                 \
	X(253, "no common signature algorithms")       \
	X(266, "no shared group")                      \
	X(307, "no application protocol")

/* X(library, reason, text): libcrypto errors seen beside SSL errors, the same in all versions. */
#define CRYPTO_REASONS(X)                                  \
	X(4, 104, "bad signature")                         \
	X(4, 112, "digest too big for rsa key")            \
	X(4, 114, "padding check failed")                  \
	X(4, 120, "key size too small")                    \
	X(6, 100, "bad decrypt")                           \
	X(6, 114, "decode error")                          \
	X(6, 118, "unsupported private key algorithm")     \
	X(6, 156, "unsupported algorithm")                 \
	X(9, 108, "no start line")                         \
	X(11, 115, "key type mismatch")                    \
	X(11, 116, "key values mismatch")                  \
	X(13, 123, "header too long")                      \
	X(13, 142, "not enough data")                      \
	X(13, 155, "too long")                             \
	X(13, 168, "wrong tag")                            \
	X(16, 102, "invalid encoding")                     \
	X(16, 107, "point is not on curve")                \
	X(16, 129, "unknown group")                        \
	X(32, 128, "no such file")                         \
	X(39, 101, "certificate verify error")             \
	X(39, 111, "response contains no revocation data") \
	X(39, 112, "root ca not trusted")                  \
	X(39, 118, "signer certificate not found")         \
	X(39, 125, "status expired")                       \
	X(39, 126, "status not yet valid")                 \
	X(39, 127, "status too old")                       \
	X(57, 100, "bad decrypt")                          \
	X(57, 102, "cipher operation failed")              \
	X(57, 110, "invalid tag")                          \
	X(57, 158, "invalid key")                          \
	X(57, 171, "key size too small")                   \
	X(57, 174, "digest not allowed")

/* X(library, text): OpenSSL's numbers of its libraries. */
#define ERROR_LIBRARIES(X)     \
	X(2, "system")         \
	X(3, "bignum")         \
	X(4, "rsa")            \
	X(5, "dh")             \
	X(6, "evp")            \
	X(7, "buffer")         \
	X(8, "object")         \
	X(9, "pem")            \
	X(10, "dsa")           \
	X(11, "x509")          \
	X(13, "asn1")          \
	X(14, "configuration") \
	X(15, "crypto")        \
	X(16, "ec")            \
	X(20, "ssl")           \
	X(32, "bio")           \
	X(33, "pkcs7")         \
	X(34, "x509v3")        \
	X(35, "pkcs12")        \
	X(36, "random")        \
	X(37, "dso")           \
	X(38, "engine")        \
	X(39, "ocsp")          \
	X(41, "compression")   \
	X(44, "store")         \
	X(50, "ct")            \
	X(52, "kdf")           \
	X(55, "property")      \
	X(57, "provider")      \
	X(59, "encoder")       \
	X(60, "decoder")

/* X(reason, text): ERR_R_* of OpenSSL 3, valid for any library. */
#define COMMON_REASONS_3(X)                                               \
	X(0xc0100, "malloc failure")                                      \
	X(0xc0101, "called a function you should not call")               \
	X(0xc0102, "passed a null parameter")                             \
	X(0xc0103, "internal error")                                      \
	X(0xc0104, "called a function that was disabled at compile-time") \
	X(0xc0105, "init fail")                                           \
	X(0x80106, "passed invalid argument")                             \
	X(0xc0107, "operation fail")                                      \
	X(0xc0108, "invalid provider functions")                          \
	X(0x80109, "interrupted or cancelled")                            \
	X(0x8010a, "nested asn1 error")                                   \
	X(0x8010b, "missing asn1 eos")                                    \
	X(0x8010c, "unsupported")                                         \
	X(0x8010d, "fetch failed")                                        \
	X(0x8010e, "invalid property definition")                         \
	X(0xc010f, "unable to get read lock")                             \
	X(0xc0110, "unable to get write lock")

/* X(reason, text): the same in OpenSSL 1.1.1 and BoringSSL. */
#define COMMON_REASONS_1_1_1(X)                                      \
	X(65, "malloc failure")                                      \
	X(66, "called a function you should not call")               \
	X(67, "passed a null parameter")                             \
	X(68, "internal error")                                      \
	X(69, "called a function that was disabled at compile-time") \
	X(70, "init fail")                                           \
	X(72, "operation fail")

#endif
