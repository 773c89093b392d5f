"""ISO 4217: alphabetic codes, numeric codes and minor units of the currencies that money may be stated in.

Metals, funds without a minor unit and test codes are left out. Withdrawn currencies of the last years stay, so that
past logs can be read; where a number was given to a successor, only the successor has it.
"""

from __future__ import annotations

_CODES_BY_MINOR_DIGITS = {
    0: (
        "BIF108 BYR974 CLP152 DJF262 GNF324 ISK352 JPY392 KMF174 KRW410 PYG600 RWF646 UGX800 UYI940 VND704 VUV548 "
        "XAF950 XOF952 XPF953"
    ),
    2: (
        "AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BGN975 BMD060 BND096 "
        "BOB068 BOV984 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHE947 CHF756 CHW948 CNY156 COP170 "
        "COU970 CRC188 CUC931 CUP192 CVE132 CZK203 DKK208 DOP214 DZD012 EEK233 EGP818 ERN232 ETB230 EUR978 FJD242 "
        "FKP238 GBP826 GEL981 GHS936 GIP292 GMD270 GTQ320 GYD328 HKD344 HNL340 HRK191 HTG332 HUF348 IDR360 ILS376 "
        "INR356 IRR364 JMD388 KES404 KGS417 KHR116 KPW408 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426 LTL440 "
        "LVL428 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRO478 MRU929 MUR480 MVR462 MWK454 MXN484 MXV979 "
        "MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 QAR634 "
        "RON946 RSD941 RUB643 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SLL694 SOS706 SRD968 SSP728 "
        "STD678 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 USD840 "
        "USN997 UYU858 UZS860 VED926 VEF937 VES928 WST882 XCD951 XCG532 YER886 ZAR710 ZMK894 ZMW967 ZWG924 ZWL932"
    ),
    3: ("BHD048 IQD368 JOD400 KWD414 LYD434 OMR512 TND788"),
    4: ("CLF990 UYW927"),
}
"""``{minor digits: "alphabetic code + numeric code", ...}``; source: ISO 4217 list one and three."""

_NUMERIC: dict[str, int] = {}
_ALPHA: dict[int, str] = {}
_MINOR_DIGITS: dict[int, int] = {}
for _digits, _codes in _CODES_BY_MINOR_DIGITS.items():
    for _code in _codes.split():
        _NUMERIC[_code[:3]] = int(_code[3:])
        _ALPHA[int(_code[3:])] = _code[:3]
        _MINOR_DIGITS[int(_code[3:])] = _digits

ALPHA_CODES: tuple[str, ...] = tuple(sorted(_NUMERIC))
"""Every code that is accepted."""


def numeric_code(alpha: str) -> int:
    """The ISO 4217 number of an alphabetic code (upper case). KeyError: no such currency."""
    return _NUMERIC[alpha]


def alpha_code(numeric: int) -> str:
    """The alphabetic code of an ISO 4217 number. KeyError: no such currency."""
    return _ALPHA[numeric]


def minor_digits(numeric: int) -> int:
    """How many decimal digits the minor unit has: 2 for EUR (978), 0 for JPY (392). KeyError: no such currency."""
    return _MINOR_DIGITS[numeric]
