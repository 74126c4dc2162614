<#
.SYNOPSIS
Switches Driver Verifier on or off for the driver, or shows what it has seen.

.DESCRIPTION
Standard switches on the standard checks for the driver and for the framework. Faults switches them on for the
driver alone, and adds low resources: some of its allocations fail, from a minute after Windows was started. The
framework is left out, because it serves other drivers, too. Query shows the counters. Off
switches everything off, for every driver.

Returns 0 if nothing is left to do, 3010 if Windows has to be started again, and 1 if something failed.

.PARAMETER Mode
Standard, Faults, Query or Off.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.EXAMPLE
.\verifier.ps1 -Mode Standard

.EXAMPLE
.\verifier.ps1 -Mode Faults

.EXAMPLE
.\verifier.ps1 -Mode Query
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [ValidateSet('Standard', 'Faults', 'Query', 'Off')] [string] $Mode,
    [string] $Package
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

# Runs verifier with a command line as it stands: PowerShell would drop the empty words. Returns its code:
# 0, or 2 if Windows has to be started again.
function Invoke-Verifier {
    param([string] $Arguments)
    Write-Host "> verifier.exe $Arguments"
    $process = Start-Process -FilePath 'verifier.exe' -ArgumentList $Arguments -Wait -PassThru -NoNewWindow
    if (0, 2 -notcontains $process.ExitCode) {
        throw "verifier returned $($process.ExitCode)"
    }
    return $process.ExitCode
}

try {
    switch ($Mode) {
        'Standard' {
            Write-Step 'the standard checks; if Windows does not start any more, it takes them back'
            $image = (Get-Package -Folder $Package).Image
            $code = Invoke-Verifier "/standard /bootmode resetonbootfail /driver $image wdf01000.sys"
        }
        'Faults' {
            Write-Step 'the standard checks, and 6 % of the allocations of the driver fail'
            $image = (Get-Package -Folder $Package).Image
            $code = Invoke-Verifier ('/standard /faults 599 "" "" 1 /bootmode resetonbootfail /driver {0}' -f $image)
        }
        'Query' {
            Write-Step 'what the verifier has seen'
            $code = Invoke-Verifier '/query'
            Write-Step 'what it is set to'
            Invoke-Verifier '/querysettings' | Out-Null
        }
        'Off' {
            Write-Step 'no checks'
            $code = Invoke-Verifier '/reset'
        }
    }
    if (($code -eq 2) -and ($Mode -ne 'Query')) {
        Write-Step 'start Windows again'
        exit $RestartNeeded
    }
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
